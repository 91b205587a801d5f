import type { Logger } from '@cds/service';
import type { Tracing } from '@cds/tracing';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { ApiOutage } from '../../queue/api-outage';
import { cleanupJobId } from '../../queue/job-ids';
import { createJobWorker, type JobOutcome } from '../../queue/job-worker';
import type { CleanUpBranch } from './clean-up-branch';
import type { CleanUpTogether, LeftCleanups } from './clean-up-together';
import { CLEANUP_QUEUE, type CleanupJob, type CleanupQueue } from '../../queue/cleanup-queue';
import { BUSY_MS } from './remove-runs';

/** Of cleanups, or groups of them: as many as deliveries, to not flood the API. */
const MAX_JOBS = 20;

export function createCleanupWorker(deps: {
  connection: Redis;
  keyPrefix?: string | undefined;
  cleanUpBranch: CleanUpBranch;
  cleanUpTogether: CleanUpTogether;
  queue: Pick<CleanupQueue, 'enqueue' | 'enqueueAgain' | 'enqueueAlone'>;
  apiOutage: ApiOutage;
  logger: Logger;
  tracing?: Tracing | undefined;
  lockMs?: number | undefined;
}) {
  const { queue, apiOutage } = deps;

  async function enqueueAlone({ id, outcome }: LeftCleanups['alone'][number]): Promise<void> {
    const delayMs = outcome.until - Date.now();
    if (!outcome.forApi) return queue.enqueue(id, delayMs);
    const job = await queue.enqueueAlone(id, delayMs);
    await apiOutage.add(job, outcome.until, outcome.outages);
  }

  async function enqueueAgain({ alone, more, busy }: LeftCleanups): Promise<void> {
    try {
      await Promise.all([
        ...alone.map(enqueueAlone),
        queue.enqueueAgain(more, 0),
        queue.enqueueAgain(busy, BUSY_MS),
      ]);
    } catch (error) {
      deps.logger.debug({ error }, 'failed to enqueue cleanups: the next sweep does');
    }
  }

  async function process(job: Job<CleanupJob>): Promise<JobOutcome> {
    if ('ids' in job.data) {
      await deps.cleanUpTogether(job.data.ids, enqueueAgain);
      return { kind: 'end' };
    }
    const { id } = job.data;
    await apiOutage.remove(cleanupJobId(id));
    const outcome = await deps.cleanUpBranch(id);
    if (outcome.kind === 'end') return { kind: 'end' };
    if (outcome.forApi) await apiOutage.add(job, outcome.until, outcome.outages);
    return { kind: 'delay', until: outcome.until };
  }

  const { tracing } = deps;
  return createJobWorker<CleanupJob>({
    queue: CLEANUP_QUEUE,
    connection: deps.connection,
    keyPrefix: deps.keyPrefix,
    logger: deps.logger,
    concurrency: MAX_JOBS,
    lockMs: deps.lockMs,
    process: tracing
      ? (job) => tracing.run({ name: 'clean up', kind: 'consumer', parent: {} }, () => process(job))
      : process,
  });
}
