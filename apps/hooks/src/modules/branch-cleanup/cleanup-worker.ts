import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { CLEANUP_QUEUE, type CleanupJob, cleanupJobId } from '../../queue/cleanup-queue';
import { createJobWorker, type JobOutcome } from '../../queue/job-worker';
import type { Resources } from '../../resources';
import type { CleanUpBranch } from './clean-up-branch';
import type { CleanUpTogether, LeftCleanups } from './clean-up-together';
import { BUSY_MS } from './remove-runs';

/** Of cleanups, or groups of them: as many as deliveries, to not flood the API. */
const MAX_JOBS = 20;

export function createCleanupWorker(
  resources: Pick<Resources, 'config' | 'logger' | 'queues' | 'timing' | 'tracing'>,
  connection: Redis,
  deps: { cleanUpBranch: CleanUpBranch; cleanUpTogether: CleanUpTogether },
) {
  const { config, logger, timing, tracing } = resources;
  const { apiOutage, cleanups: queue } = resources.queues;

  async function enqueueAlone({ id, outcome }: LeftCleanups['alone'][number]): Promise<void> {
    const delayMs = outcome.until - Date.now();
    if (outcome.outages === undefined) return queue.enqueue(id, delayMs);
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
      logger.debug({ error }, 'failed to enqueue cleanups: the next sweep does');
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
    if (outcome.outages !== undefined) await apiOutage.add(job, outcome.until, outcome.outages);
    return { kind: 'delay', until: outcome.until };
  }

  return createJobWorker<CleanupJob>({
    ...{ queue: CLEANUP_QUEUE, connection, keyPrefix: config.redis.keyPrefix, logger },
    ...{ concurrency: MAX_JOBS, lockMs: timing.lockMs },
    process: tracing
      ? (job) => tracing.run({ name: 'clean up', kind: 'consumer', parent: {} }, () => process(job))
      : process,
  });
}
