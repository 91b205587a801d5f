import { hookKeys, KEYS, keysOf, POLL_ERROR_FIELD } from '../redis-keys';
import type { KeyRepair } from '../unreadable/set-aside';
import { createHookScripts } from '../hook-scripts';
import { readConfig } from '../unreadable/read-config';
import { redisNowMs } from '@cds/redis';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { ALIGN_POLL, END_POLL, LEAVE_OUT_POLL, READ_POLLS, TAKE_POLL } from './poll-scripts.lua';

/** Longer than a call of the API and its answer. The polls of a dead replica wait this long. */
const LEASE_MS = 120_000;

/** `vcs` reads a repository once a minute at most, whatever the API asks for. */
const SHORTEST_DELAY_MS = 10_000;
/** Used where the API asks for nothing. */
export const DEFAULT_DELAY_MS = 60_000;
const MAX_DELAY_MS = 3_600_000;
/** After a refusal, which will hardly change in a minute. */
export const REFUSED_DELAY_MS = 300_000;

/**
 * The pause to the next poll (ms): what the API asks for, within bounds; for a repository webhook
 * the configured one if longer.
 */
export function pollDelayMs(
  intervalSeconds: number | undefined,
  leastSeconds: number,
  shortestMs = SHORTEST_DELAY_MS,
): number {
  const asked = intervalSeconds === undefined ? DEFAULT_DELAY_MS : intervalSeconds * 1_000;
  const bounded = Math.min(Math.max(asked, shortestMs), MAX_DELAY_MS);
  return Math.max(bounded, leastSeconds * 1_000);
}

export interface DuePoll {
  uuid: string;
  /** Milliseconds, by the clock of Redis. */
  due: number;
}

/** A poll that this process took. */
export interface TakenPoll {
  uuid: string;
  /** When it must be over (ms). */
  until: number;
  type: 'RepoPoller' | 'RepoWebHook';
  method: string;
  config: HookConfig;
  /** When it began (ms). */
  began: number;
  /** When the last answered poll began, or polling of the hook (ms). */
  since: number;
  /** Id of the newest execution of the hook at that time. */
  lastId: number;
}

/** The result of a poll: the pause to the next one, and why this one failed. */
export interface EndedPoll {
  pauseMs: number;
  error?: string;
}

/** When the repository of each hook is polled next, in Redis, by the clock of Redis. */
export function createPollStore(deps: {
  redis: Redis;
  /** Interval for repository webhooks; 0 turns their polls off. */
  reconcileSeconds: number;
  leaseMs?: number | undefined;
  keyRepair?: KeyRepair;
}) {
  const { redis, reconcileSeconds, leaseMs = LEASE_MS } = deps;
  const run = createHookScripts(deps);
  const isReconciled = reconcileSeconds > 0;
  const readPolls = READ_POLLS.on(redis);
  const endPoll = END_POLL.on(redis);
  const leaveOutPoll = LEAVE_OUT_POLL.on(redis);
  const longestMs = Math.max(MAX_DELAY_MS, reconcileSeconds * 1_000, leaseMs) + 60_000;

  return {
    /** The next polls, and the clock of Redis (ms). */
    first: (count: number) => readPolls(KEYS, { count, maxAheadMs: longestMs }),

    /** Whether it is due, or has a time of before the clock was put back. */
    isDue: ({ due }: DuePoll, now: number): boolean => due <= now || due > now + longestMs,

    /** @param atOnce also when it was polled a moment ago */
    async align(uuid: string, atOnce = false): Promise<void> {
      // Else thousands of webhooks would be looked at whenever all are posted.
      const firstMs = Math.floor(Math.random() * reconcileSeconds * 1_000);
      await run(ALIGN_POLL, uuid, { uuid, isReconciled, isAtOnce: atOnce, firstMs });
    },

    /** @returns undefined when another replica took it, or the hook is no longer polled */
    async take({ uuid, due }: DuePoll): Promise<TakenPoll | undefined> {
      const reply = await run(TAKE_POLL, uuid, { uuid, due, leaseMs, isReconciled });
      if (reply.kind === 'other') return undefined;
      const { until, type, method, config, began, since, lastId } = reply;
      return {
        ...{ uuid, until, type, method, began },
        config: readConfig(config) ?? {},
        since: Number(since) || began,
        lastId: Number(lastId) || 0,
      };
    },

    /** @returns `failed` and `better` for the first of several in a row */
    end({ uuid, until, began }: TakenPoll, { pauseMs, error }: EndedPoll) {
      const result = error === undefined ? { began, error: '' } : { began: '', error };
      return endPoll(keysOf(uuid), { uuid, until, pauseMs, ...result });
    },

    /** Releases a poll that was not ended: it is due after a pause (ms). */
    async release({ uuid, until, began }: TakenPoll, pauseMs: number): Promise<void> {
      await leaveOutPoll(KEYS, { uuid, due: until, pauseMs: began + pauseMs - until });
    },

    /** When it is polled next (ms), and why the last poll failed or ""; undefined without polls. */
    async next(uuid: string): Promise<{ due: number; error: string } | undefined> {
      const [due, error] = await Promise.all([
        redis.zscore(KEYS.polls, uuid),
        redis.hget(hookKeys(uuid).task, POLL_ERROR_FIELD),
      ]);
      return due === null ? undefined : { due: Number(due), error: error ?? '' };
    },

    /** Why its last poll failed; "" when it did not, undefined without one. */
    async lastError(uuid: string): Promise<string | undefined> {
      return (await redis.hget(hookKeys(uuid).task, POLL_ERROR_FIELD)) ?? undefined;
    },

    /** The clock (ms). */
    now: (): Promise<number> => redisNowMs(redis),

    /** Skips the next poll. @returns false when it is not the next one */
    leaveOut: ({ uuid, due }: DuePoll) =>
      leaveOutPoll(KEYS, { uuid, due, pauseMs: DEFAULT_DELAY_MS }),
  };
}
