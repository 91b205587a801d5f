import type { MonitoringLevel, MonitoringLine } from '@cds/wire';
import { formatGoDuration } from '@cds/service';
import type { Redis } from 'ioredis';
import { answeredByRedis, type MissingRights } from '@cds/redis';
import { createStoredCounts, type DueCount, whyNotServed } from '@cds/hooks-store';
import { secondsSince } from './oldest-delivery';

/** Tasks with lines of their own, so that heartbeats stay small. */
const MAX_NAMED = 50;
/** Longer than two pauses of `retryDelay` after refusals, by default. */
const WAITS_LONG_SECONDS = 300;
const WAITS_TOO_LONG_SECONDS = 1_800;

function line(component: string, value: string | number, status: MonitoringLevel): MonitoringLine {
  return { status, component, value: String(value), type: '' };
}

function redisLine(why: string | undefined, missing: string | undefined): MonitoringLine {
  if (why !== undefined)
    return line('Redis', `refuses writes, so webhooks are refused with 503: ${why}`, 'AL');
  if (missing !== undefined)
    return line('Redis', `refuses commands, so that work fails: ${missing}`, 'AL');
  return line('Redis', 'answers', 'OK');
}

function level(value: number, warn: number, alert: number): MonitoringLevel {
  if (value >= alert) return 'AL';
  return value >= warn ? 'WARN' : 'OK';
}

/**
 * The lines of `hooks` in `/mon/status` and in heartbeats. Only tasks that are stopped or have
 * pending executions have lines of their own.
 */
export function createHooksMonitoring(deps: {
  redis: Redis;
  disabled: boolean;
  executionHistory: number;
  /** Whether the processing is paused for a maintenance of CDS. */
  isMaintained: () => Promise<boolean>;
  /** Lines that need no Redis. */
  moreLines: () => MonitoringLine[];
  /** Risks for the data in Redis, as of the last connection. */
  redisWarnings: () => readonly string[];
  /** Undefined while Redis takes writes. */
  whyNoWrites: () => string | undefined;
  /** Undefined while its user may do what is needed. */
  missingRights: MissingRights['sentence'];
}) {
  const { redis, disabled, executionHistory } = deps;
  const counts = createStoredCounts({ redis });

  async function countLines(): Promise<MonitoringLine[]> {
    const [now, isMaintained] = await Promise.all([
      counts.forStatus(MAX_NAMED),
      deps.isMaintained(),
    ]);
    const { waiting, tasks, stopped, pending, schedulers, polls, pollsFailing } = now;
    const tasksOf = (...types: string[]) =>
      types.reduce((sum, type) => sum + (tasks.get(type) ?? 0), 0);
    const unserved = [...tasks].flatMap(([type, n]) => {
      const reason = n > 0 ? whyNotServed(type) : undefined;
      return reason === undefined ? [] : [{ type, n, reason }];
    });
    // By the clock of Redis, by which schedulers and polls run.
    const lateBy = ({ firstDue = Infinity }: DueCount) =>
      Math.max(0, Math.floor(now.now - firstDue / 1000));
    const lateSeconds = lateBy(schedulers);
    const pollLateSeconds = lateBy(polls);
    const why = deps.whyNoWrites();
    const oldest = Math.round(secondsSince(now.oldestSince));
    return [
      ...(isMaintained
        ? [line('Maintenance', 'deliveries are accepted and wait, nothing is processed', 'WARN')]
        : []),
      line('Queue', waiting, level(waiting, 10, 100)),
      line(
        'Oldest Waiting Delivery',
        `${formatGoDuration(oldest * 1_000)}, stopped tasks aside`,
        level(oldest, WAITS_LONG_SECONDS, WAITS_TOO_LONG_SECONDS),
      ),
      redisLine(why, deps.missingRights(why)),
      ...stopped.map((uuid) => line('Task Stopped', uuid, 'WARN')),
      ...(await taskLines([...new Set([...pending, ...stopped])])),
      line('Hook Kafka', tasksOf('Kafka'), 'OK'),
      line('Hook Kafka Consumers', 0, 'OK'),
      line('Outgoing Hooks', tasksOf('OutgoingWebhook', 'OutgoingWorkflow'), 'OK'),
      line('Branch Deletions', now.cleanups, 'OK'),
      line('Branch Deletions Failed', now.failedCleanups, level(now.failedCleanups, 1, Infinity)),
      line('Schedulers', schedulers.count, 'OK'),
      line('Schedulers Late', `${lateSeconds}s`, level(lateSeconds, 5, 60)),
      line('Polls', polls.count, 'OK'),
      line('Polls Late', `${pollLateSeconds}s`, level(pollLateSeconds, 60, 1_800)),
      line('Polls Failing', pollsFailing, level(pollsFailing, 1, Infinity)),
      // The reason is in its next execution and in the log, since `/mon/status` is public.
      ...now.failingPolls.map((uuid) =>
        line(`Poll Failing ${uuid}`, 'see its next execution', 'WARN'),
      ),
      line('Executions Failed', now.failedExecutions, level(now.failedExecutions, 1, Infinity)),
      ...unserved.map(({ type, n, reason }) =>
        line(`Hooks not served ${type}`, `${n}: ${reason}`, 'WARN'),
      ),
    ];
  }

  async function taskLines(uuids: string[]): Promise<MonitoringLine[]> {
    const withWork = (await counts.ofTasks(uuids)).filter(({ todo }) => todo > 0);
    return withWork.flatMap(({ uuid, todo, total }) => [
      line(`Execs Todo ${uuid}`, todo, level(todo, 11, 20)),
      line(
        `Execs Total ${uuid}`,
        total,
        level(total, executionHistory * 5 + 1, executionHistory * 10 + 1),
      ),
    ]);
  }

  /** Never throws: an outage of Redis is a line. */
  return async function hooksLines(): Promise<MonitoringLine[]> {
    const lines = [
      ...(disabled
        ? [
            line(
              'Hooks',
              'disabled: deliveries are accepted and wait, nothing is processed',
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
