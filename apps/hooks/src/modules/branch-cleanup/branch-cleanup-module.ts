import type { PlanDelivery } from '@cds/hooks-store';
import type { HookModule } from '../hook-module';
import { createBranchCleanups } from './branch-cleanups';
import { createCancelCleanups } from './cancel-cleanups';
import { createCleanUpBranch } from './clean-up-branch';
import { createCleanUpTogether } from './clean-up-together';
import { createCleanupWorker } from './cleanup-worker';
import { createRemoveRuns } from './remove-runs';
import { createRunRemoval } from './run-removal';
import { createRequeueCleanups } from './requeue-cleanups';
import { createWaitingBranchChanges } from './waiting-branch-changes';

/** Scheduled cleanups of deleted branches, each a task of its own. */
export const branchCleanup = (plan: PlanDelivery): HookModule => ({
  types: ['BranchDeletion'],
  unlisted: true,
  normalize: ({ config }) => ({ method: '', config }),
  create(resources) {
    const { redis, callApi, stores, queues, logger, now, config, timing, workMetrics } = resources;
    const store = stores.cleanups;
    const waiting = createWaitingBranchChanges({ redis, plan, keyRepair: stores.keyRepair });
    const delayMs = config.branchDeletion.delaySeconds * 1_000;
    const retryDelayMs = config.retryDelaySeconds * 1_000;
    const removal = createRunRemoval(resources);
    const beforeRemoval = createCancelCleanups({ waiting, store, logger, workMetrics });
    return {
      tasks: { RepoWebHook: { beforeRemoval } },
      work({ hookLock, workerConnection, killed }) {
        const common = { store, hookLock, logger, now, retryDelayMs, workMetrics };
        const { retryError } = config;
        const removeRuns = createRemoveRuns({ ...common, removal, callApi, retryError, killed });
        const worker = createCleanupWorker({
          ...{ connection: workerConnection, keyPrefix: config.redis.keyPrefix, logger },
          tracing: resources.tracing,
          ...{ apiOutage: queues.apiOutage, lockMs: timing.lockMs, queue: queues.cleanups },
          cleanUpBranch: createCleanUpBranch({
            ...{ ...common, redis, waiting, removeRuns, delayMs },
            hooksOf: stores.tasks.hooksOf,
          }),
          cleanUpTogether: createCleanUpTogether({ ...common, removeRuns }),
        });
        return {
          cleanups: createBranchCleanups({ ...common, removal, queue: queues.cleanups, delayMs }),
          lostJobs: createRequeueCleanups({ store, queue: queues.cleanups }),
          async stop(deadlineMs) {
            await worker.close(deadlineMs);
            removal.close();
          },
        };
      },
    };
  },
});
