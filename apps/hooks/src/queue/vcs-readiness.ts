import { setTimeout as sleep } from 'node:timers/promises';
import { type CdsApiClient, isApiError } from '@cds/api-client';
import { isCdsAtLeast } from '@cds/config';
import { withTimeout } from '@cds/network';
import { vcsKeys } from '@cds/redis';
import type { Logger, Registration } from '@cds/service';
import type { Redis } from 'ioredis';
import { failureOf } from './api-failure';

/** How long runs wait for `vcs` after a start, or after the API was away. */
const WAIT_MS = 15_000;
const CHECK_EVERY_MS = 500;
/** Of one check: the API would wait a minute for `vcs`. */
const CHECK_TIMEOUT_MS = 3_000;
/** After a wait in vain, runs do not wait again for this long. */
const NOT_AGAIN_MS = 5 * 60_000;

export type VcsReadiness = ReturnType<typeof createVcsReadiness>;

/**
 * After a restart of everything, `hooks` may be up before `vcs`. The API then accepts a run and
 * fails it for good when its calls to `vcs` fail. So the first runs wait until the API has reached
 * a `vcs` once, for some seconds.
 */
export function createVcsReadiness(deps: {
  api: Pick<CdsApiClient, 'vcsServers'>;
  registration: Pick<Registration, 'registerNow' | 'apiVersion'>;
  redis: Redis;
  logger: Logger;
  ending: AbortSignal;
  waitMs?: number | undefined;
}) {
  const { api, registration, logger, ending, waitMs = WAIT_MS } = deps;
  let isReady = false;
  let checking: Promise<void> | undefined;
  let gaveUpAt = -Infinity;

  /** `api away`: runs fail, too. `unauthorized`: the API's 401, or that of `vcs`. */
  async function check(
    isVcsInRedis: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<'there' | 'not there' | 'api away' | 'unauthorized'> {
    try {
      // The API names the servers of `[vcs.servers]` alone, if any, and from 0.54 on none.
      if (isCdsAtLeast(registration.apiVersion, '0.51'))
        return (await isVcsInRedis()) ? 'there' : 'not there';
      return (await api.vcsServers(signal)).length > 0 ? 'there' : 'not there';
    } catch (error) {
      if (signal.aborted) return 'not there';
      if (isApiError(error) && error.kind === 'unauthorized') return 'unauthorized';
      const failure = failureOf(error);
      if (failure.kind === 'unavailable') return 'api away';
      // A refusal says nothing about `vcs`: runs do not wait.
      return (failure.status ?? 500) >= 500 ? 'not there' : 'there';
    }
  }

  async function checkUntil(deadline: number): Promise<void> {
    let isLogged = false;
    let registeredAgain = false;
    const isVcsInRedis = createVcsInRedis(deps.redis);
    while (!ending.aborted) {
      let seen = await withTimeout({ signal: ending }, CHECK_TIMEOUT_MS, ({ signal }) =>
        check(isVcsInRedis, signal),
      );
      if (seen === 'unauthorized' && !registeredAgain) {
        try {
          await registration.registerNow();
        } catch (error) {
          return logger.debug({ err: error }, 'registering with the API again failed');
        }
        registeredAgain = true;
        continue;
      }
      // The API knows this service: the 401 is of a `vcs` that does not know the API.
      if (seen === 'unauthorized') seen = 'not there';
      if (seen === 'api away') return;
      if (seen === 'there' || performance.now() >= deadline) {
        isReady = true;
        if (seen === 'not there') {
          gaveUpAt = performance.now();
          logger.warn(
            {},
            'runs are asked for without vcs: the API reaches none, and may fail them',
          );
        }
        return;
      }
      if (!isLogged) logger.info({}, 'runs wait for vcs: the API reaches none yet');
      isLogged = true;
      await sleep(CHECK_EVERY_MS, undefined, { signal: ending }).catch(() => undefined);
    }
  }

  return {
    /** Resolves when the API reaches `vcs` or the time is up; at once as a rule. Never rejects. */
    async wait(): Promise<void> {
      if (isReady) return;
      checking ??= checkUntil(performance.now() + waitMs)
        .catch((error: unknown) => logger.debug({ err: error }, 'failed to check for vcs'))
        .finally(() => (checking = undefined));
      await checking;
    },
    /** An outage of the API: `vcs` may have been restarted with it. */
    apiWasAway(): void {
      if (performance.now() - gaveUpAt >= NOT_AGAIN_MS) isReady = false;
    },
  };
}

/**
 * Makes a check whether a `vcs` of the same Redis is registered now. What it showed before the
 * first look says nothing: it may have ended since. The check is true also where no `vcs` ever used
 * this Redis: it may have another.
 */
export function createVcsInRedis(redis: Redis): () => Promise<boolean> {
  let first: string | undefined;
  return async () => {
    const [alive, state] = await Promise.all([
      redis.get(vcsKeys.alive),
      redis.exists(vcsKeys.state),
    ]);
    if (state === 0) return true;
    first ??= alive ?? '';
    return alive !== null && alive !== first;
  };
}
