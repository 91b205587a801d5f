import type { Logger } from '@cds/service';
import { answeredByRedis, createDueLoop, type DueLoop } from '@cds/redis';
import { LRUCache } from 'lru-cache';
import type { PollResult } from '../../queue/work-metrics';
import type { PolledOutcome, PollHook } from './poll-hook';
import type { DuePoll, PollStore, TakenPoll } from '@cds/hooks-store';

export interface PollerDeps {
  store: PollStore;
  pollHook: PollHook;
  logger: Logger;
  /** Told of each poll that is over, and how many changes it found. */
  polled?: (kind: 'poller' | 'reconcile', result: PollResult, found: number) => void;
}

/** Its `stop` breaks off what waits for the API. */
export type Poller = Pick<DueLoop, 'start' | 'stop'>;

/** Polls of one replica side by side. Each is up to five calls of the API at `vcs`. */
const MAX_AT_ONCE = 8;
/** The longest sleep: by then a hook may have been added that is due before all that were known. */
const MAX_SLEEP_MS = 500;
/** Between two lines of the log that say of hooks why all of them fail. */
const TOLD_MS = 300_000;
/** Before a poll is made again whose changes were not kept. */
const BROKEN_PAUSE_MS = 10_000;
/** When every place is taken. */
const BUSY_SLEEP_MS = 50;

/**
 * Polls the repositories whose time has come. Every replica does, each sleeping until the first one is due; the script that
 * takes a poll lets one of them have it.
 */
export function createPoller(deps: PollerDeps): Poller {
  const { store, pollHook, logger, polled } = deps;
  const underWay = new Map<string, Promise<void>>();
  const told = new LRUCache<PollResult, true>({ max: 10, ttl: TOLD_MS });
  const ending = new AbortController();
  const { signal } = ending;

  async function ended(poll: TakenPoll, outcome: PolledOutcome): Promise<void> {
    polled?.(poll.type === 'RepoPoller' ? 'poller' : 'reconcile', outcome.result, outcome.found);
    const { uuid } = poll;
    const { error, pauseMs } = outcome;
    const kept = await answeredByRedis(() => store.end(poll, outcome));
    const pause = Math.round(pauseMs / 1_000);
    if (kept === 'better') logger.info({ hook: uuid }, 'the polls of a hook are answered again');
    if (error !== undefined)
      logger[kept === 'failed' && isWorthWarning(outcome.result) ? 'warn' : 'debug'](
        { hook: uuid, error, pauseSeconds: pause },
        'the repository of a hook could not be polled: trying again',
      );
  }

  /** One line for each hook, not one for each poll; and one for all where the API or its server is the reason. */
  function isWorthWarning(result: PollResult): boolean {
    if (result === 'refused') return true;
    if (told.has(result)) return false;
    told.set(result, true);
    return true;
  }

  async function pollOne(due: DuePoll): Promise<void> {
    let poll: TakenPoll | undefined;
    try {
      poll = await answeredByRedis(() => store.take(due));
      if (!poll) return;
      signal.throwIfAborted();
      await ended(poll, await pollHook(poll, signal));
    } catch (error) {
      const level = signal.aborted ? 'debug' : 'warn';
      logger[level]({ hook: due.uuid, error }, 'a poll broke off');
      if (poll) await giveBack(poll);
    }
  }

  /** Where that fails, too, it is made again when it could have been over. */
  async function giveBack(poll: TakenPoll): Promise<void> {
    await answeredByRedis(() => store.release(poll, signal.aborted ? 0 : BROKEN_PAUSE_MS)).catch(
      (error: unknown) => logger.debug({ hook: poll.uuid, error }, 'a poll was not given back'),
    );
  }

  /** @returns how long to sleep (ms) */
  async function pollDue(): Promise<number> {
    const slots = MAX_AT_ONCE - underWay.size;
    if (slots <= 0) return BUSY_SLEEP_MS;
    const { now, polls } = await answeredByRedis(() => store.first(MAX_AT_ONCE));
    const due = polls.filter((poll) => store.isDue(poll, now) && !underWay.has(poll.uuid));
    for (const poll of due.slice(0, slots)) {
      if (underWay.has(poll.uuid)) continue;
      underWay.set(
        poll.uuid,
        pollOne(poll).finally(() => underWay.delete(poll.uuid)),
      );
    }
    if (due.length > 0) return BUSY_SLEEP_MS;
    return Math.min(...polls.filter(({ due }) => due > now).map(({ due }) => due - now));
  }

  const loop = createDueLoop({
    runDue: pollDue,
    maxSleepMs: MAX_SLEEP_MS,
    failed: (error) => logger.debug({ error }, 'no poll is looked for: Redis does not answer'),
  });

  return {
    start: loop.start,
    async stop() {
      ending.abort();
      await loop.stop();
      await Promise.all(underWay.values());
    },
  };
}
