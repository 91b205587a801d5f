import { isApiError } from '@cds/api-client';
import type { Logger, Registration } from '@cds/service';
import { type Failure, failureOf } from './api-failure';
import { stackOf } from './unexpected-error';

export type ApiResult<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export type ApiCaller = ReturnType<typeof createApiCaller>;

/**
 * After a 401 the API does not know this service any more: the service registers again and repeats
 * the call. Neither counts as a try.
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
        'a call of the CDS API failed because of a bug in hooks: please report it',
      );
    return { ok: false, failure };
  }

  /**
   * @param stillMine asked before the second try, since registering takes time
   * @returns undefined when `stillMine` answers no
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
          // The API refused the call.
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
