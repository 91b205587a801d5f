import { setTimeout as sleep } from 'node:timers/promises';
import { type CdsApiClient, isApiError } from '@cds/api-client';
import type { Logger, Registration } from '@cds/service';
import { failureOf } from './api-failure';

/** How long runs wait for `vcs` after a start, or after the API was away. */
const WAIT_MS = 15_000;
const LOOK_EVERY_MS = 500;
/** One look: the API asks `vcs`, and would wait a minute for it. */
const LOOK_MS = 3_000;
/** Who waited in vain goes on without for so long. */
const NOT_AGAIN_MS = 5 * 60_000;

/** Whether the API reaches a `vcs`, without which it accepts runs and fails them. */
export interface VcsReadiness {
  /**
   * Resolves when it does, or when that was waited for long enough; at once as a rule. Never
   * rejects.
   */
  wait(): Promise<void>;
  /** The API was away: `vcs` may have been restarted with it. */
  apiWasAway(): void;
}

/**
 * After a common restart `hooks` may be up before `vcs`. The API takes a run then, answers yes, and
 * fails it when its look-ups are refused; nobody asks for it again. So the first runs wait until
 * the API has reached a `vcs` once, for some seconds. Where there is none, they go on without.
 */
export function createVcsReadiness(deps: {
  api: Pick<CdsApiClient, 'vcsServers'>;
  registration: Pick<Registration, 'registerNow'>;
  logger: Logger;
  ending: AbortSignal;
  /** Milliseconds, 15,000 when not given. */
  waitMs?: number | undefined;
}): VcsReadiness {
  const { api, registration, logger, ending, waitMs = WAIT_MS } = deps;
  let isReady = false;
  let looking: Promise<void> | undefined;
  let gaveUpAt = -Infinity;

  /**
   * `api away`: nothing is known, and runs are not taken either. `unauthorized`: the API's 401, or
   *   that of `vcs`.
   */
  async function look(): Promise<'there' | 'not there' | 'api away' | 'unauthorized'> {
    // Not AbortSignal.any: a timeout in it may be collected, and then never fires
    // (nodejs/node#57736).
    const ended = new AbortController();
    const end = () => ended.abort();
    const timer = setTimeout(end, LOOK_MS);
    ending.addEventListener('abort', end, { once: true });
    try {
      return (await api.vcsServers(ended.signal)).length > 0 ? 'there' : 'not there';
    } catch (error) {
      if (ended.signal.aborted) return 'not there';
      if (isApiError(error) && error.kind === 'unauthorized') return 'unauthorized';
      const failure = failureOf(error);
      if (failure.kind === 'unavailable') return 'api away';
      // An API that refuses to tell has no say in it.
      return (failure.status ?? 500) >= 500 ? 'not there' : 'there';
    } finally {
      clearTimeout(timer);
      ending.removeEventListener('abort', end);
    }
  }

  /** @returns whether the API took it */
  async function registerAgain(): Promise<boolean> {
    try {
      await registration.registerNow();
      return true;
    } catch (error) {
      logger.debug({ err: error }, 'registering with the API again failed');
      return false;
    }
  }

  async function lookUntil(deadline: number): Promise<void> {
    let told = false;
    let registeredAgain = false;
    while (!ending.aborted) {
      let seen = await look();
      if (seen === 'unauthorized' && !registeredAgain) {
        registeredAgain = await registerAgain();
        if (!registeredAgain) return;
        continue;
      }
      // The API knows this service: it hands on the 401 of a `vcs` that does not know the API.
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
      if (!told) logger.info({}, 'runs wait for vcs: the API reaches none yet');
      told = true;
      await sleep(LOOK_EVERY_MS, undefined, { signal: ending }).catch(() => undefined);
    }
  }

  return {
    async wait() {
      if (isReady) return;
      looking ??= lookUntil(performance.now() + waitMs)
        .catch((error: unknown) => logger.debug({ err: error }, 'vcs not looked for'))
        .finally(() => (looking = undefined));
      await looking;
    },
    apiWasAway() {
      if (performance.now() - gaveUpAt >= NOT_AGAIN_MS) isReady = false;
    },
  };
}
