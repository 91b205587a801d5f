import { countFromZero, type Logger, maxEntries, type Metrics } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { RetryReason } from './process-delivery';

/** Hooks that lost dead letters, so that each is logged once. */
const MAX_REPORTED = 10_000;
const RETRY_OR_DROP = 'send them again (engine hooks dead-letters retry) or drop them';
const DROPPED = {
  task: `dead letters of a task exceed deadLetters: the oldest are dropped; ${RETRY_OR_DROP}`,
  cleanups:
    'dead letters of cleanups exceed deadLetters: the oldest are dropped, and the runs of their ' +
    `branches stay; ${RETRY_OR_DROP}`,
};

/** `unsupported`: the VCS server cannot be polled. */
export type PollResult = 'ok' | 'unsupported' | 'refused' | 'unavailable';

export type WorkMetrics = ReturnType<typeof createWorkMetrics>;

export function createWorkMetrics(deps: { metrics: Pick<Metrics, 'counter'>; logger: Logger }) {
  const { metrics, logger } = deps;
  const reported = new LRUCache<string, true>(maxEntries(MAX_REPORTED));

  function counter<Label extends string>(
    name: string,
    help: string,
    values: Record<Label, readonly string[]>,
  ) {
    const labels = Object.keys(values) as Label[];
    const created = metrics.counter({ name, help, labels });
    countFromZero(created, values);
    return created;
  }

  const executions = counter(
    'cds_hooks_executions_total',
    'Executions that this process ended: done, or failed for good.',
    { result: ['done', 'failed'] },
  );
  const cleanups = counter(
    'cds_hooks_cleanups_total',
    'Cleanups of deleted branches: scheduled, done, failed for good, or cancelled because ' +
      'the branch is back.',
    { result: ['scheduled', 'done', 'failed', 'cancelled'] },
  );
  const schedulerTimes = counter(
    'cds_hooks_scheduler_times_total',
    'Times of schedulers that this process took: on time, late because no replica ran, or ' +
      'skipped while an earlier run waits for the API.',
    { result: ['on_time', 'late', 'skipped'] },
  );
  const polls = counter(
    'cds_hooks_polls_total',
    'Polls of repositories by this process, for pollers and to reconcile repository ' +
      'webhooks, by the answer of the CDS API; unsupported: polling is off at vcs.',
    { kind: ['poller', 'reconcile'], result: ['ok', 'unsupported', 'refused', 'unavailable'] },
  );
  const changes = counter(
    'cds_hooks_polled_changes_total',
    'New changes that polls of this process found: for repository webhooks those without a ' +
      'delivery.',
    { kind: ['poller', 'reconcile'] },
  );
  const outgoing = counter(
    'cds_hooks_outgoing_calls_total',
    'Executed outgoing hooks: with success, failed after all tries, or nothing to do ' +
      'because no run waits.',
    { kind: ['webhook', 'workflow'], result: ['success', 'failed', 'nothing'] },
  );
  const dropped = metrics.counter({
    name: 'cds_hooks_dead_letters_dropped_total',
    help: 'Dead letters that were dropped for newer ones (deadLetters).',
  });
  const retries = counter(
    'cds_hooks_retries_total',
    'Runs and removals of runs that are tried again, because the CDS API refused or did not ' +
      'answer.',
    { kind: ['run', 'cleanup'], reason: ['refused', 'unavailable'] },
  );

  /** Logs once for each task, and once for cleanups. */
  function countDropped(count: number, of: keyof typeof DROPPED, hook?: string): void {
    if (count === 0) return;
    dropped.inc(count);
    const subject = hook ?? of;
    if (reported.has(subject)) return;
    reported.set(subject, true);
    logger.error({ hook, dropped: count }, DROPPED[of]);
  }

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
      countDropped(deadLettersDropped, 'task', uuid);
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
      countDropped(deadLettersDropped, 'cleanups');
    },
  };
}
