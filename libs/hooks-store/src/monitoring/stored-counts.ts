import type { Redis } from 'ioredis';
import { readableOf, repliesOf, scoresOf } from '../pipeline-replies';
import { hookKeys, KEYS } from '../redis-keys';

/** A number of due times, and the first of them (ms). */
export interface DueCount {
  count: number;
  firstDue: number | undefined;
}

/** The score of the first member of `ZRANGE … WITHSCORES`, if any. */
const firstOf = (reply: unknown) => [...scoresOf(reply as string[]).values()][0];

/** The counts that monitoring shows. They come from counters; nothing is scanned for them. */
export function createStoredCounts({ redis }: { redis: Redis }) {
  const first = async (key: string) => firstOf(await redis.zrange(key, '0', '0', 'WITHSCORES'));
  const due = async (key: string): Promise<DueCount> => {
    const [count, firstDue] = await Promise.all([redis.zcard(key), first(key)]);
    return { count, firstDue };
  };

  return {
    /** For each heartbeat. @param named names of tasks in each list at most */
    async forStatus(named: number) {
      const [
        [waiting, oldestSince, kinds, cleanups, failedCleanups, failedExecutions],
        [stopped, pending, [seconds], schedulers, polls, pollsFailing, failingPolls],
      ] = await Promise.all([
        Promise.all([
          redis.get(KEYS.waitingTotal),
          first(KEYS.waitingSince),
          redis.hgetall(KEYS.kinds),
          redis.zcard(KEYS.cleanups),
          redis.zcount(KEYS.failedCleanups, '0', '+inf'),
          redis.zcard(KEYS.failed),
        ]),
        Promise.all([
          redis.srandmember(KEYS.stopped, named),
          redis.srandmember(KEYS.pending, named),
          redis.time(),
          due(KEYS.due),
          due(KEYS.polls),
          redis.zcard(KEYS.pollsFailing),
          redis.zrange(KEYS.pollsFailing, '0', String(named - 1)),
        ]),
      ]);
      return {
        waiting: Number(waiting ?? 0),
        /** Since when the oldest pending execution waits (ms). */
        oldestSince,
        /** Hook type → number of tasks. */
        tasks: new Map(Object.entries(kinds).map(([type, count]) => [type, Number(count)])),
        ...{ cleanups, failedCleanups, failedExecutions },
        /** Uuids of some of the tasks that are stopped, that have work, whose polls fail. */
        ...{ stopped, pending, failingPolls },
        ...{ schedulers, polls, pollsFailing },
        /** The clock of schedulers and polls (s). */
        now: Number(seconds),
      };
    },

    /** The pending and all stored executions of these tasks. */
    ofTasks(uuids: readonly string[]): Promise<{ uuid: string; todo: number; total: number }[]> {
      return Promise.all(
        uuids.map(async (uuid) => {
          const keys = hookKeys(uuid);
          // One key of another type must not make it look as if Redis were away.
          const pipeline = redis.pipeline().llen(keys.waiting).zcard(keys.done).zcard(keys.dead);
          const replies = await readableOf(pipeline);
          const [todo = 0, done = 0, dead = 0] = replies.map((reply) => Number(reply ?? 0));
          return { uuid, todo, total: todo + done + dead };
        }),
      );
    },

    /** For each scrape, in one round trip. @param now ms */
    async forMetrics(now: number) {
      const pipeline = redis
        .pipeline()
        .zcard(KEYS.failed)
        .zcount(KEYS.failedCleanups, '0', '+inf')
        .get(KEYS.waitingTotal)
        .zrange(KEYS.waitingSince, '0', '0', 'WITHSCORES')
        .zrange(KEYS.stoppedWaitingSince, '0', '0', 'WITHSCORES')
        .scard(KEYS.stopped)
        .zcard(KEYS.cleanups)
        .zcount(KEYS.cleanups, '-inf', now)
        .zcard(KEYS.stoppedCleanups)
        .get(KEYS.lostTotal);
      const replies = await repliesOf(pipeline);
      const count = (index: number): number => Number(replies[index] ?? 0);
      return {
        dead: { executions: count(0), cleanups: count(1) },
        waiting: count(2),
        /** Since when the oldest pending execution waits (ms), of running and of stopped tasks. */
        oldestSince: { running: firstOf(replies[3]), stopped: firstOf(replies[4]) },
        tasksStopped: count(5),
        cleanups: { pending: count(6), due: count(7), stopped: count(8) },
        lost: count(9),
      };
    },
  };
}
