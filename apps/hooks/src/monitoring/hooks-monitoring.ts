import type { MonitoringLevel, MonitoringLine } from '@cds/wire';
import { formatGoDuration, monitoringLine as line } from '@cds/service';
import { answeredByRedis } from '@cds/redis';
import { createStoredCounts, type DueCount, traitsOf } from '@cds/hooks-store';
import type { Resources } from '../resources';
import { secondsSince } from './stored-metrics';

/** Tasks with lines of their own, so that heartbeats stay small. */
const MAX_NAMED = 50;
/** Longer than two pauses of `retryDelay` after refusals, by default. */
const WAITS_LONG_SECONDS = 300;
const WAITS_TOO_LONG_SECONDS = 1_800;

function redisLine(why: string | undefined, missing: string | undefined): MonitoringLine {
  if (why !== undefined)
    return line('AL', 'Redis', `refuses writes, so webhooks are refused with 503: ${why}`);
  if (missing !== undefined)
    return line('AL', 'Redis', `refuses commands, so that work fails: ${missing}`);
  return line('OK', 'Redis', 'answers');
}

function level(value: number, warn: number, alert: number): MonitoringLevel {
  if (value >= alert) return 'AL';
  return value >= warn ? 'WARN' : 'OK';
}

/**
 * The lines of `hooks` in `/mon/status` and in heartbeats. Only tasks that are stopped or have
 * pending executions have lines of their own.
 */
export function createHooksMonitoring(
  resources: Resources,
  deps: {
    /** Lines that need no Redis. */
    moreLines: () => MonitoringLine[];
    /** Risks for the data in Redis, as of the last connection. */
    redisWarnings: () => readonly string[];
    /** Undefined while Redis takes writes. */
    whyNoWrites: () => string | undefined;
  },
) {
  const { config, queues, missingRights } = resources;
  const { executionHistory } = config;
  const counts = createStoredCounts(resources);

  async function countLines(): Promise<MonitoringLine[]> {
    const [now, isMaintained] = await Promise.all([
      counts.forStatus(MAX_NAMED),
      queues.maintenance.isOn(),
    ]);
    const { waiting, tasks, stopped, pending, schedulers, polls, pollsFailing } = now;
    const tasksOf = (...types: string[]) =>
      types.reduce((sum, type) => sum + (tasks.get(type) ?? 0), 0);
    const unserved = [...tasks].flatMap(([type, n]) => {
      const reason = n > 0 ? traitsOf(type).whyNotServed : undefined;
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
        ? [line('WARN', 'Maintenance', 'deliveries are accepted and wait, nothing is processed')]
        : []),
      line(level(waiting, 10, 100), 'Queue', waiting),
      line(
        level(oldest, WAITS_LONG_SECONDS, WAITS_TOO_LONG_SECONDS),
        'Oldest Waiting Delivery',
        `${formatGoDuration(oldest * 1_000)}, stopped tasks aside`,
      ),
      redisLine(why, missingRights.sentence(why)),
      ...stopped.map((uuid) => line('WARN', 'Task Stopped', uuid)),
      ...(await taskLines([...new Set([...pending, ...stopped])])),
      line('OK', 'Hook Kafka', tasksOf('Kafka')),
      line('OK', 'Hook Kafka Consumers', 0),
      line('OK', 'Outgoing Hooks', tasksOf('OutgoingWebhook', 'OutgoingWorkflow')),
      line('OK', 'Branch Deletions', now.cleanups),
      line(level(now.failedCleanups, 1, Infinity), 'Branch Deletions Failed', now.failedCleanups),
      line('OK', 'Schedulers', schedulers.count),
      line(level(lateSeconds, 5, 60), 'Schedulers Late', `${lateSeconds}s`),
      line('OK', 'Polls', polls.count),
      line(level(pollLateSeconds, 60, 1_800), 'Polls Late', `${pollLateSeconds}s`),
      line(level(pollsFailing, 1, Infinity), 'Polls Failing', pollsFailing),
      // The reason is in its next execution and in the log, since `/mon/status` is public.
      ...now.failingPolls.map((uuid) =>
        line('WARN', `Poll Failing ${uuid}`, 'see its next execution'),
      ),
      line(level(now.failedExecutions, 1, Infinity), 'Executions Failed', now.failedExecutions),
      ...unserved.map(({ type, n, reason }) =>
        line('WARN', `Hooks not served ${type}`, `${n}: ${reason}`),
      ),
    ];
  }

  async function taskLines(uuids: string[]): Promise<MonitoringLine[]> {
    const withWork = (await counts.ofTasks(uuids)).filter(({ todo }) => todo > 0);
    return withWork.flatMap(({ uuid, todo, total }) => [
      line(level(todo, 11, 20), `Execs Todo ${uuid}`, todo),
      line(
        level(total, executionHistory * 5 + 1, executionHistory * 10 + 1),
        `Execs Total ${uuid}`,
        total,
      ),
    ]);
  }

  /** Never throws: an outage of Redis is a line. */
  return async function hooksLines(): Promise<MonitoringLine[]> {
    const lines = [
      ...deps.moreLines(),
      ...deps.redisWarnings().map((warning) => line('WARN', 'Redis Settings', warning)),
    ];
    const disabled = 'disabled: deliveries are accepted and wait, nothing is processed';
    if (config.disable) lines.unshift(line('WARN', 'Hooks', disabled));
    try {
      return [...lines, ...(await answeredByRedis(countLines))];
    } catch {
      return [...lines, line('AL', 'Redis', 'does not answer: webhooks are refused with 503')];
    }
  };
}
