import { setTimeout as sleep } from 'node:timers/promises';
import { type CdsApiClient, isApiError } from '@cds/api-client';
import { isCdsAtLeast } from '@cds/config';
import type { Logger, Registration } from '@cds/service';
import { failureOf } from './api-failure';

/** How long runs wait for `vcs` after a start, or after the API was away. */
const WAIT_MS = 15_000;
const CHECK_EVERY_MS = 500;
/** Of one check: the API would wait a minute for `vcs`. */
const CHECK_TIMEOUT_MS = 3_000;
/** After a wait in vain, runs do not wait again for this long. */
const NOT_AGAIN_MS = 5 * 60_000;

/**
 * From 0.51 on the API names the servers of `[vcs.servers]` alone, which need not be any, and from
 * 0.54 on none.
 */
function tellsOfVcs(apiVersion: string): boolean {
  return !isCdsAtLeast(apiVersion, '0.51');
}

export type VcsReadiness = ReturnType<typeof createVcsReadiness>;

/**
 * After a restart of everything, `hooks` may be up before `vcs`. The API then accepts a run and
 * fails it for good when its calls to `vcs` fail. So the first runs wait until the API has reached
 * a `vcs` once, for some seconds.
 */
export function createVcsReadiness(deps: {
  api: Pick<CdsApiClient, 'vcsServers'>;
  registration: Pick<Registration, 'registerNow' | 'apiVersion'>;
  /** Makes the check in place of an API that does not tell. */
  vcsInRedis: () => () => Promise<boolean>;
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
  ): Promise<'there' | 'not there' | 'api away' | 'unauthorized'> {
    // Not AbortSignal.any: a timeout in it may be collected, and then never fires
    // (nodejs/node#57736).
    const ended = new AbortController();
    const end = () => ended.abort();
    const timer = setTimeout(end, CHECK_TIMEOUT_MS);
    ending.addEventListener('abort', end, { once: true });
    try {
      if (!tellsOfVcs(registration.apiVersion))
        return (await isVcsInRedis()) ? 'there' : 'not there';
      return (await api.vcsServers(ended.signal)).length > 0 ? 'there' : 'not there';
    } catch (error) {
      if (ended.signal.aborted) return 'not there';
      if (isApiError(error) && error.kind === 'unauthorized') return 'unauthorized';
      const failure = failureOf(error);
      if (failure.kind === 'unavailable') return 'api away';
      // A refusal says nothing about `vcs`: runs do not wait.
      return (failure.status ?? 500) >= 500 ? 'not there' : 'there';
    } finally {
      clearTimeout(timer);
      ending.removeEventListener('abort', end);
    }
  }

  /** @returns whether it succeeded */
  async function registerAgain(): Promise<boolean> {
    try {
      await registration.registerNow();
      return true;
    } catch (error) {
      logger.debug({ err: error }, 'registering with the API again failed');
      return false;
    }
  }

  async function checkUntil(deadline: number): Promise<void> {
    let isLogged = false;
    let registeredAgain = false;
    const isVcsInRedis = deps.vcsInRedis();
    while (!ending.aborted) {
      let seen = await check(isVcsInRedis);
      if (seen === 'unauthorized' && !registeredAgain) {
        registeredAgain = await registerAgain();
        if (!registeredAgain) return;
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
