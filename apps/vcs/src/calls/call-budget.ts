import type { BitbucketCall } from '@cds/bitbucket';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';

/**
 * Of the 1,000 calls about repositories that Bitbucket grants a consumer in any hour, as many are for the API alone.
 * https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/
 */
const FOR_THE_API_ALONE = 300;
const CALLS_PER_HOUR = 1_000;
const WINDOW_MINUTES = 60;
/** How long after a 429 nothing is asked that can wait. */
const AFTER_429_SECONDS = 15 * 60;
const MINUTE_MS = 60_000;

/** What is left of the calls that Bitbucket grants one OAuth consumer. */
export interface CallBudget {
  /** Takes note of a call. */
  count(call: BitbucketCall): void;
  /** Whether this process made so many calls, or was refused one lately, that what can wait should wait. */
  isShort(): boolean;
  /** The same, and whether another replica was refused one. Rejects when Redis does not answer. */
  isShortAnywhere(): Promise<boolean>;
}

/**
 * Counts the calls of this process over the rolling hour, since Bitbucket does not tell an OAuth consumer what is left; a
 * refusal is told to the other replicas by Redis.
 */
export function createCallBudget(deps: {
  redis: Redis;
  logger: Logger;
  server: string;
}): CallBudget {
  const { redis, logger } = deps;
  const key = `cdsbb:vcs:rate-limited:${deps.server}`;
  const perMinute = new Map<number, number>();
  let refusedAt = Number.NEGATIVE_INFINITY;

  function refused(): void {
    const told = performance.now() - refusedAt < MINUTE_MS;
    refusedAt = performance.now();
    if (told) return;
    redis.set(key, '1', 'EX', AFTER_429_SECONDS).catch((error: unknown) => {
      logger.debug({ err: error }, 'Redis did not take that Bitbucket answered 429');
    });
  }

  function used(): number {
    const oldest = thisMinute() - WINDOW_MINUTES;
    let sum = 0;
    for (const [minute, calls] of perMinute) {
      if (minute < oldest) perMinute.delete(minute);
      else sum += calls;
    }
    return sum;
  }

  function isShort(): boolean {
    if (performance.now() - refusedAt < AFTER_429_SECONDS * 1000) return true;
    return used() >= CALLS_PER_HOUR - FOR_THE_API_ALONE;
  }

  return {
    count({ route, status }) {
      if (status === 429) refused();
      if (!route.startsWith('/repositories')) return;
      const minute = thisMinute();
      const calls = perMinute.get(minute) ?? 0;
      // Once a minute what is over is forgotten.
      if (calls === 0) used();
      perMinute.set(minute, calls + 1);
    },
    isShort,
    isShortAnywhere: async () => isShort() || (await redis.exists(key)) === 1,
  };
}

/** Of this process, so that a clock that is set changes nothing. */
function thisMinute(): number {
  return Math.floor(performance.now() / MINUTE_MS);
}
