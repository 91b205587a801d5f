import { isApiError } from '@cds/api-client';
import type { Logger, Registration } from '@cds/service';
import { type Failure, failureOf } from './api-failure';
import { stackOf } from './unexpected-error';

type ApiResult<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export type ApiCaller = ReturnType<typeof createApiCaller>;

/** Where a call is refused that began after a registration, another one so soon helps no more. */
const NOT_AGAIN_MS = 1_000;

/**
 * After a 401 the API does not know this service any more: the service registers again and repeats
 * the call. Neither counts as a try. Where it refuses a consumer for lack of a scope, that is done
 * once a second at most, for all hooks.
 */
export function createApiCaller(deps: {
  registration: Pick<Registration, 'registerNow'>;
  logger: Logger;
}) {
  let registeredAt = -Infinity;

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
    for (let isAgain = false; ; isAgain = true) {
      const began = performance.now();
      try {
        return { ok: true, value: await call() };
      } catch (error) {
        const isKnown = began >= registeredAt && performance.now() - registeredAt < NOT_AGAIN_MS;
        const isUnauthorized = isApiError(error) && error.kind === 'unauthorized';
        if (isAgain || isKnown || !isUnauthorized) return failed(error);
      }
      try {
        await deps.registration.registerNow();
        registeredAt = performance.now();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const message = `registering with the API again failed: ${reason}`;
        // The API refused the call.
        return { ok: false, failure: { kind: 'unavailable', message, mayBeDone: false } };
      }
      if (!(await stillMine())) return undefined;
    }
  };
}
