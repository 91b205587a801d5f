import type { DuePoll, TakenPoll } from '@cds/hooks-store';
import { answeredByRedis, createDueLoop } from '@cds/redis';
import { LRUCache } from 'lru-cache';
import type { PollResult } from '../../queue/work-metrics';
import type { Resources } from '../../resources';
import { createPollHook, type PolledOutcome, type PollHook } from './poll-hook';

/** Concurrent polls of one replica. Each is up to five calls of the API at `vcs`. */
const MAX_AT_ONCE = 8;
/** A hook may have been added that is due before all known ones. */
const MAX_SLEEP_MS = 500;
/** Between two warnings for a reason that all hooks share. */
const WARN_AGAIN_MS = 300_000;
/** Before a poll is repeated whose changes were not stored. */
const BROKEN_PAUSE_MS = 10_000;
/** While every slot is taken. */
const BUSY_SLEEP_MS = 50;

/** Polls the repositories that are due. Every replica does; a script gives each poll to one. */
export function createPoller(
  resources: Parameters<typeof createPollHook>[0] & Pick<Resources, 'tracing' | 'workMetrics'>,
) {
  const { logger, tracing, workMetrics } = resources;
  const store = resources.stores.polls;
  const poll = createPollHook(resources);
  const pollHook: PollHook = tracing
    ? (...args) => tracing.run({ name: 'poll', kind: 'internal', parent: {} }, () => poll(...args))
    : poll;
  const underWay = new Map<string, Promise<void>>();
  const warned = new LRUCache<PollResult, true>({ max: 10, ttl: WARN_AGAIN_MS });
  const ending = new AbortController();
  const { signal } = ending;

  async function ended(poll: TakenPoll, outcome: PolledOutcome): Promise<void> {
    const { uuid, type } = poll;
    const { error, found, pauseMs, result } = outcome;
    workMetrics.polled(type === 'RepoPoller' ? 'poller' : 'reconcile', result, found);
    const stored = await answeredByRedis(() => store.end(poll, outcome));
    const pause = Math.round(pauseMs / 1_000);
    if (stored === 'better') logger.info({ hook: uuid }, 'polls of a hook succeed again');
    if (error !== undefined)
      logger[stored === 'failed' && isWorthWarning(result) ? 'warn' : 'debug'](
        { hook: uuid, error, pauseSeconds: pause },
        'poll failed: it will be repeated',
      );
  }

  /** Warns once for each hook, or once for all where the API or its server is the reason. */
  function isWorthWarning(result: PollResult): boolean {
    if (result === 'refused') return true;
    if (warned.has(result)) return false;
    warned.set(result, true);
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
      logger[level]({ hook: due.uuid, error }, 'poll broke off');
      if (poll) await giveBack(poll);
    }
  }

  /** Where this fails too, the poll is repeated after the time that it may take. */
  async function giveBack(poll: TakenPoll): Promise<void> {
    await answeredByRedis(() => store.release(poll, signal.aborted ? 0 : BROKEN_PAUSE_MS)).catch(
      (error: unknown) => logger.debug({ hook: poll.uuid, error }, 'poll not released'),
    );
  }

  /** @returns the pause before the next call (ms) */
  async function pollDue(): Promise<number> {
    const slots = MAX_AT_ONCE - underWay.size;
    if (slots <= 0) return BUSY_SLEEP_MS;
    const { now, due: polls } = await answeredByRedis(() => store.first(MAX_AT_ONCE));
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
    failed: (error) => logger.debug({ error }, 'failed to read the polls that are due'),
  });

  return {
    start: loop.start,
    /** Aborts calls to the API. */
    async stop() {
      ending.abort();
      await loop.stop();
      await Promise.all(underWay.values());
    },
  };
}
