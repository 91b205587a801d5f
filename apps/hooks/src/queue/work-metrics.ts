import { countFromZero, type Logger, type Metrics } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { RetryReason } from './process-delivery';

/** Hooks that lost dead letters, so that each is logged once. */
const MAX_REPORTED = 10_000;

/** `unsupported`: the VCS server cannot be polled. */
export type PollResult = 'ok' | 'unsupported' | 'refused' | 'unavailable';

export type WorkMetrics = ReturnType<typeof createWorkMetrics>;

export function createWorkMetrics(deps: { metrics: Pick<Metrics, 'counter'>; logger: Logger }) {
  const { metrics, logger } = deps;
  const reported = new LRUCache<string, true>({ max: MAX_REPORTED });
  let cleanupsReported = false;

  const executions = metrics.counter({
    name: 'cds_hooks_executions_total',
    help: 'Executions that this process worked off: done, or failed for good.',
    labels: ['result'],
  });
  const cleanups = metrics.counter({
    name: 'cds_hooks_cleanups_total',
    help: 'Cleanups of deleted branches: scheduled, done, failed for good, or cancelled because the branch is back.',
    labels: ['result'],
  });
  const schedulerTimes = metrics.counter({
    name: 'cds_hooks_scheduler_times_total',
    help: 'Times of schedulers that this process took: on time, late since nobody was there, or skipped while an earlier run waits for the API.',
    labels: ['result'],
  });
  const polls = metrics.counter({
    name: 'cds_hooks_polls_total',
    help: 'Polls of repositories that this process made, for pollers and to find what no webhook told of, by the answer of the CDS API.',
    labels: ['kind', 'result'],
  });
  const changes = metrics.counter({
    name: 'cds_hooks_polled_changes_total',
    help: 'Changes that polls of this process found and that were not known: for repository webhooks those whose delivery has not come.',
    labels: ['kind'],
  });
  const outgoing = metrics.counter({
    name: 'cds_hooks_outgoing_calls_total',
    help: 'Outgoing hooks that were executed: with success, failed after all tries, or nothing to do because no run waits.',
    labels: ['kind', 'result'],
  });
  const dropped = metrics.counter({
    name: 'cds_hooks_dead_letters_dropped_total',
    help: 'Dead letters that gave way to newer ones (deadLetters).',
  });
  const retries = metrics.counter({
    name: 'cds_hooks_retries_total',
    help: 'Runs and removals of runs that are to be asked for again, because the CDS API refused or did not answer.',
    labels: ['kind', 'reason'],
  });
  countFromZero(executions, { result: ['done', 'failed'] });
  countFromZero(cleanups, { result: ['scheduled', 'done', 'failed', 'cancelled'] });
  countFromZero(schedulerTimes, { result: ['on_time', 'late', 'skipped'] });
  countFromZero(polls, {
    kind: ['poller', 'reconcile'],
    result: ['ok', 'unsupported', 'refused', 'unavailable'],
  });
  countFromZero(changes, { kind: ['poller', 'reconcile'] });
  countFromZero(outgoing, {
    kind: ['webhook', 'workflow'],
    result: ['success', 'failed', 'nothing'],
  });
  countFromZero(retries, { kind: ['run', 'cleanup'], reason: ['refused', 'unavailable'] });

  return {
    schedulerFired(result: 'on_time' | 'late' | 'skipped'): void {
      schedulerTimes.inc({ result });
    },

    polled(kind: 'poller' | 'reconcile', result: PollResult, found: number): void {
      polls.inc({ kind, result });
      changes.inc({ kind }, found);
    },

    executionEnded(uuid: string, result: 'done' | 'failed', deadLettersDropped: number): void {
      executions.inc({ result });
      if (deadLettersDropped === 0) return;
      dropped.inc(deadLettersDropped);
      if (reported.has(uuid)) return;
      reported.set(uuid, true);
      logger.error(
        { hook: uuid, dropped: deadLettersDropped },
        'dead letters of a task exceed deadLetters: the oldest are dropped; send them again (engine hooks dead-letters retry) or drop them',
      );
    },

    retried(kind: 'run' | 'cleanup', reason: RetryReason): void {
      retries.inc({ kind, reason });
    },

    cleanupScheduled(): void {
      cleanups.inc({ result: 'scheduled' });
    },

    outgoingCalled(kind: 'webhook' | 'workflow', result: 'success' | 'failed' | 'nothing'): void {
      outgoing.inc({ kind, result });
    },

    cleanupEnded(result: 'done' | 'failed' | 'cancelled', deadLettersDropped = 0): void {
      cleanups.inc({ result });
      if (deadLettersDropped === 0) return;
      dropped.inc(deadLettersDropped);
      if (cleanupsReported) return;
      cleanupsReported = true;
      logger.error(
        { dropped: deadLettersDropped },
        'dead letters of cleanups exceed deadLetters: the oldest are dropped, and the runs of their branches stay; send them again (engine hooks dead-letters retry) or drop them',
      );
    },
  };
}
