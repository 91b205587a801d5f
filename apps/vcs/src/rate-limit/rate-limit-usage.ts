import { setTimeout as sleep } from 'node:timers/promises';
import { defineScript, vcsKeys } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { createMinuteCounts, type CallsAgo } from './minute-counts';

/** The time for which a refusal (429) is remembered. */
export const REFUSAL_SECONDS = 15 * 60;
/** Calls are flushed to Redis together, so that none waits for it. */
const FLUSH_AFTER_MS = 250;
const FLUSH_AGAIN_AFTER_MS = 5_000;
/** The greatest age of the sum over all replicas when something is decided by it. */
const FRESH_MS = 2_000;
/** The time for which a decision waits for a newer sum. */
const WAIT_MS = 250;
/** Bitbucket may refuse many calls at once; the first of them is enough to know. */
const REFUSED_AGAIN_MS = 5_000;

const countedSchema = z.tuple([z.array(z.tuple([z.number(), z.number()])), z.string(), z.number()]);

/**
 * Adds calls to their minutes, by the clock of Redis, and returns those of the last hour.
 * Returns {{minutes ago, calls}, …; seconds to wait after the last 429, or ""; its PTTL}
 */
const COUNT_CALLS = defineScript({
  name: 'cdsbbCountCalls',
  keys: ['calls', 'rateLimited'],
  args: [],
  each: ['minutesAgo', 'calls'],
  reply: (reply) => countedSchema.parse(reply),
  lua: (K, _A, EACH) => `
local minute = math.floor(tonumber(redis.call('TIME')[1]) / 60)
for i = ${EACH.range} do
  redis.call('HINCRBY', ${K.calls}, minute - tonumber(${EACH.minutesAgo}), ${EACH.calls})
end
if #ARGV > 0 then redis.call('EXPIRE', ${K.calls}, 3720) end
local recent = {}
local all = redis.call('HGETALL', ${K.calls})
for i = 1, #all, 2 do
  local ago = minute - tonumber(all[i])
  if math.abs(ago) > 60 then
    redis.call('HDEL', ${K.calls}, all[i])
  else
    table.insert(recent, { math.max(ago, 0), tonumber(all[i + 1]) })
  end
end
return { recent, redis.call('GET', ${K.rateLimited}) or '', redis.call('PTTL', ${K.rateLimited}) }
`,
});

/** The calls of one counter of Bitbucket, as far as they are known. */
export interface Usage {
  /** Oldest first. */
  calls: CallsAgo[];
  /** The last 429 of the last quarter of an hour. */
  refused?: { secondsAgo: number; waitSeconds: number };
}

/**
 * The calls of one counter of Bitbucket that all replicas made in the last hour. Every process
 * counts its own calls and flushes them to Redis a moment later; the answer is the usage of all
 * replicas. While Redis is away, a process goes by what it knew and its own calls.
 */
export function createRateLimitUsage(deps: {
  redis: Redis;
  logger: Logger;
  /** Whatever the configuration calls it. */
  consumer: { apiUrl: string; clientId: string };
}) {
  const { redis, logger, consumer } = deps;
  const callsKey = vcsKeys.calls(consumer);
  const refusedKey = vcsKeys.rateLimited(consumer);
  const count = COUNT_CALLS.on(redis);
  const own = createMinuteCounts();
  let ofAll = createMinuteCounts();
  let unflushed = createMinuteCounts();
  let refusal: { at: number; waitSeconds: number } | undefined;
  let flushedAt = Number.NEGATIVE_INFINITY;
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failed = false;
  let closed = false;

  async function send(): Promise<void> {
    const sent = unflushed.entries();
    const begunAt = performance.now();
    unflushed = createMinuteCounts();
    const before = ofAll;
    // Counted here until Redis's answer counts them.
    ofAll = createMinuteCounts([...before.entries(), ...sent]);
    try {
      const [recent, waitSeconds, ttlMs] = await count(
        { calls: callsKey, rateLimited: refusedKey },
        {},
        sent.map(([minutesAgo, calls]) => ({ minutesAgo, calls })),
      );
      ofAll = createMinuteCounts(recent);
      if (ttlMs > 0) learnRefusal(begunAt - (REFUSAL_SECONDS * 1000 - ttlMs), Number(waitSeconds));
      flushedAt = begunAt;
      failed = false;
    } catch (error) {
      // Redis may have counted them. Twice is better than not at all.
      failed = true;
      ofAll = before;
      for (const [minutesAgo, calls] of sent) unflushed.add(calls, minutesAgo);
      logger.debug({ err: error }, 'calls of Bitbucket not counted in Redis: trying again');
    }
  }

  function learnRefusal(at: number, waitSeconds: number): void {
    if (refusal === undefined || at > refusal.at) refusal = { at, waitSeconds };
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    flushing ??= send().finally(() => {
      flushing = undefined;
      if (unflushed.sum() > 0) scheduleFlush(failed ? FLUSH_AGAIN_AFTER_MS : FLUSH_AFTER_MS);
    });
    return flushing;
  }

  function scheduleFlush(ms: number): void {
    if (closed) return;
    timer ??= setTimeout(() => void flush(), ms).unref();
  }

  /** What this process knows now. */
  function known(): Usage {
    const calls = createMinuteCounts([...ofAll.entries(), ...unflushed.entries()]);
    // Larger than the sum of a Redis that was emptied.
    const most = calls.sum() >= own.sum() ? calls : own;
    const secondsAgo = refusal ? (performance.now() - refusal.at) / 1000 : Infinity;
    return {
      calls: most.entries(),
      ...(refusal && secondsAgo < REFUSAL_SECONDS
        ? { refused: { secondsAgo, waitSeconds: refusal.waitSeconds } }
        : {}),
    };
  }

  return {
    known,
    add(): void {
      own.add(1);
      unflushed.add(1);
      scheduleFlush(FLUSH_AFTER_MS);
    },
    /** Bitbucket refused a call: too many were made. */
    refuse(waitSeconds: number): void {
      const now = performance.now();
      const isKnown = refusal !== undefined && now - refusal.at < REFUSED_AGAIN_MS;
      refusal = { at: now, waitSeconds };
      if (isKnown) return;
      redis.set(refusedKey, String(waitSeconds), 'EX', REFUSAL_SECONDS).catch((error: unknown) => {
        logger.debug({ err: error }, 'rate limit of Bitbucket not stored in Redis');
      });
    },
    /** The same, not much older than two seconds unless Redis does not answer. Never rejects. */
    async fresh(): Promise<Usage> {
      if (performance.now() - flushedAt > FRESH_MS) {
        const waited = new AbortController();
        const late = sleep(WAIT_MS, undefined, { signal: waited.signal }).catch(() => undefined);
        await Promise.race([flush(), late]);
        waited.abort();
      }
      return known();
    },
    /** Stores what is not in Redis yet, and goes on counting. Never rejects. */
    flush: async () => (unflushed.sum() > 0 ? flush() : undefined),
    /** Flushes what is not in Redis yet. Never rejects. */
    async close(): Promise<void> {
      closed = true;
      await flushing;
      if (unflushed.sum() > 0) await flush();
      clearTimeout(timer);
    },
  };
}
