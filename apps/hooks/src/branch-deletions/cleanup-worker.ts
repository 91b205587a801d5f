import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';
import type { ApiWaiters } from '../executions/api-waiters';
import { cleanupJobId } from '../executions/job-ids';
import { createJobWorker, type JobWorker } from '../executions/job-worker';
import type { CleanUpBranch } from './clean-up-branch';
import { CLEANUP_QUEUE, type CleanupJob } from './cleanup-queue';

export interface CleanupWorkerDeps {
  connection: Redis;
  cleanUpBranch: CleanUpBranch;
  waiters: ApiWaiters;
  logger: Logger;
  /** Cleanups at a time. */
  concurrency?: number;
  lockMs?: number;
}

/** Does the cleanups that are due. */
export function createCleanupWorker(deps: CleanupWorkerDeps): JobWorker {
  return createJobWorker<CleanupJob>({
    queue: CLEANUP_QUEUE,
    connection: deps.connection,
    logger: deps.logger,
    concurrency: deps.concurrency ?? 10,
    lockMs: deps.lockMs,
    async process(job) {
      const { id } = job.data;
      await deps.waiters.remove(cleanupJobId(id));
      const outcome = await deps.cleanUpBranch(id);
      if (outcome.kind === 'end') return { kind: 'end' };
      if (outcome.forApi) await deps.waiters.add(job, outcome.until, outcome.outages);
      return { kind: 'delay', until: outcome.until };
    },
  });
}
