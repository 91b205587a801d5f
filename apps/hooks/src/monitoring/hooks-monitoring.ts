import type { MonitoringLevel, MonitoringLine } from '@cds/wire';
import { formatGoDuration } from '@cds/service';
import type { Redis } from 'ioredis';
import { answeredByRedis } from '@cds/redis';
import { hookKeys, KEYS, readableOf, whyNotServed } from '@cds/hooks-store';
import { scoreOf, secondsSince } from './oldest-delivery';

export interface HooksMonitoringDeps {
  redis: Redis;
  disabled: boolean;
  executionHistory: number;
  /** What is known without Redis. */
  moreLines: () => MonitoringLine[];
  /** What endangers the data in Redis; known since the last connection. */
  redisWarnings: () => readonly string[];
  /** Why Redis refuses writes; undefined where it takes them. */
  whyNoWrites: () => string | undefined;
}

/** Tasks that are named one by one; a heartbeat must not grow with their number. */
const NAMED = 50;
/** Longer than two pauses of `retryDelay` after refusals, by default. */
const WAITS_LONG_SECONDS = 300;
const WAITS_TOO_LONG_SECONDS = 1_800;

function line(component: string, value: string | number, status: MonitoringLevel): MonitoringLine {
  return { status, component, value: String(value), type: '' };
}

function redisLine(why: string | undefined): MonitoringLine {
  if (why === undefined) return line('Redis', 'answers', 'OK');
  return line('Redis', `refuses writes, so webhooks are refused with 503: ${why}`, 'AL');
}

function level(value: number, warn: number, alert: number): MonitoringLevel {
  if (value >= alert) return 'AL';
  return value >= warn ? 'WARN' : 'OK';
}

/**
 * What `hooks` adds to `/mon/status` and to each heartbeat. Counts come from counters; of single tasks only those are
 * named that have work or are stopped, at most 50 of each.
 */
export function createHooksMonitoring(deps: HooksMonitoringDeps) {
  const { redis, disabled, executionHistory } = deps;

  async function countLines(): Promise<MonitoringLine[]> {
    const [
      waiting,
      head,
      kinds,
      cleanups,
      failedCleanups,
      failed,
      stopped,
      pending,
      schedulers,
      first,
      clock,
      polls,
      firstPoll,
      pollsFailing,
      failing,
    ] = await Promise.all([
      redis.get(KEYS.waitingTotal),
      redis.zrange(KEYS.heads, '0', '0', 'WITHSCORES'),
      redis.hgetall(KEYS.kinds),
      redis.zcard(KEYS.cleanups),
      redis.zcount(KEYS.failedCleanups, '0', '+inf'),
      redis.zcard(KEYS.failed),
      redis.srandmember(KEYS.stopped, NAMED),
      redis.srandmember(KEYS.pending, NAMED),
      redis.zcard(KEYS.due),
      redis.zrange(KEYS.due, '0', '0', 'WITHSCORES'),
      redis.time(),
      redis.zcard(KEYS.polls),
      redis.zrange(KEYS.polls, '0', '0', 'WITHSCORES'),
      redis.zcard(KEYS.pollsFailing),
      redis.zrange(KEYS.pollsFailing, '0', String(NAMED - 1)),
    ]);
    const unserved = Object.entries(kinds).flatMap(([type, n]) => {
      const reason = Number(n) > 0 ? whyNotServed(type) : undefined;
      return reason === undefined ? [] : [{ type, n, reason }];
    });
    // By the clock that they run by.
    const lateBy = (due: string | undefined) =>
      Math.max(0, Math.floor(Number(clock[0]) - Number(due ?? Infinity) / 1000));
    const lateSeconds = lateBy(first[1]);
    const pollLateSeconds = lateBy(firstPoll[1]);
    const oldest = Math.round(secondsSince(scoreOf(head)));
    return [
      line('Queue', Number(waiting ?? 0), level(Number(waiting ?? 0), 10, 100)),
      line(
        'Oldest Waiting Delivery',
        `${formatGoDuration(oldest * 1_000)}, stopped tasks aside`,
        level(oldest, WAITS_LONG_SECONDS, WAITS_TOO_LONG_SECONDS),
      ),
      redisLine(deps.whyNoWrites()),
      ...stopped.map((uuid) => line('Task Stopped', uuid, 'WARN')),
      ...(await taskLines([...new Set([...pending, ...stopped])])),
      line('Hook Kafka', Number(kinds.Kafka ?? 0), 'OK'),
      line('Hook Kafka Consumers', 0, 'OK'),
      line(
        'Outgoing Hooks',
        Number(kinds.OutgoingWebhook ?? 0) + Number(kinds.OutgoingWorkflow ?? 0),
        'OK',
      ),
      line('Branch Deletions', cleanups, 'OK'),
      line('Branch Deletions Failed', failedCleanups, level(failedCleanups, 1, Infinity)),
      line('Schedulers', schedulers, 'OK'),
      line('Schedulers Late', `${lateSeconds}s`, level(lateSeconds, 5, 60)),
      line('Polls', polls, 'OK'),
      line('Polls Late', `${pollLateSeconds}s`, level(pollLateSeconds, 60, 1_800)),
      line('Polls Failing', pollsFailing, level(pollsFailing, 1, Infinity)),
      // Why is in its next execution, and in the log: anybody may read this.
      ...failing.map((uuid) => line(`Poll Failing ${uuid}`, 'see its next execution', 'WARN')),
      line('Executions Failed', failed, level(failed, 1, Infinity)),
      ...unserved.map(({ type, n, reason }) =>
        line(`Hooks not served ${type}`, `${n}: ${reason}`, 'WARN'),
      ),
    ];
  }

  async function taskLines(uuids: string[]): Promise<MonitoringLine[]> {
    const counts = await Promise.all(
      uuids.map(async (uuid) => {
        const keys = hookKeys(uuid);
        // One key of another type must not make it look as if Redis were away.
        const pipeline = redis.pipeline().llen(keys.waiting).zcard(keys.done).zcard(keys.dead);
        const replies = await readableOf(pipeline);
        const [todo = 0, done = 0, dead = 0] = replies.map((reply) => Number(reply ?? 0));
        return { uuid, todo, total: todo + done + dead };
      }),
    );
    const withWork = counts.filter(({ todo }) => todo > 0);
    return withWork.flatMap(({ uuid, todo, total }) => [
      line(`Execs Todo ${uuid}`, todo, level(todo, 11, 20)),
      line(
        `Execs Total ${uuid}`,
        total,
        level(total, executionHistory * 5 + 1, executionHistory * 10 + 1),
      ),
    ]);
  }

  /** Never throws: an outage of Redis is a line, too. */
  return async function hooksLines(): Promise<MonitoringLine[]> {
    const lines = [
      ...(disabled
        ? [
            line(
              'Hooks',
              'disabled: deliveries are accepted and wait, nothing is worked off',
              'WARN',
            ),
          ]
        : []),
      ...deps.moreLines(),
      ...deps.redisWarnings().map((warning) => line('Redis Settings', warning, 'WARN')),
    ];
    try {
      return [...lines, ...(await answeredByRedis(countLines))];
    } catch {
      return [...lines, line('Redis', 'does not answer: webhooks are refused with 503', 'AL')];
    }
  };
}
