import { isApiError } from '@cds/api-client';
import type { Logger, Registration } from '@cds/service';
import { type Failure, failureOf } from './api-failure';
import { stackOf } from './unexpected-error';

export type ApiResult<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export type ApiCaller = ReturnType<typeof createApiCaller>;

/**
 * Calls the API and tells success from failure. A 401 means that the API forgot this service: it registers
 * again and the call is made once more; neither is counted.
 */
export function createApiCaller(deps: {
  registration: Pick<Registration, 'registerNow'>;
  logger: Logger;
}) {
  function failed(error: unknown): ApiResult<never> {
    const failure = failureOf(error);
    if (!isApiError(error))
      deps.logger.error(
        { stack: stackOf(error) },
        'a call of the CDS API failed by a mistake of hooks: please report it',
      );
    return { ok: false, failure };
  }

  /**
   * @param stillMine asked before the second try, since registering takes time; false gives the call up
   * @returns undefined when it was given up
   */
  return async function callApi<T>(
    call: () => Promise<T>,
    stillMine: () => Promise<boolean>,
  ): Promise<ApiResult<T> | undefined> {
    try {
      return { ok: true, value: await call() };
    } catch (error) {
      if (!isApiError(error) || error.kind !== 'unauthorized') return failed(error);
    }
    try {
      await deps.registration.registerNow();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return {
        ok: false,
        failure: {
          kind: 'unavailable',
          message: `registering with the API again failed: ${reason}`,
          // The API refused the call that it was for.
          mayBeDone: false,
        },
      };
    }
    if (!(await stillMine())) return undefined;
    try {
      return { ok: true, value: await call() };
    } catch (error) {
      return failed(error);
    }
  };
}
