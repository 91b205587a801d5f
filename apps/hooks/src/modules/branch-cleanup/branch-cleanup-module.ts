import type { PlanDelivery } from '@cds/hooks-store';
import type { HookModule } from '../hook-module';
import { createBranchCleanups } from './branch-cleanups';
import { createCancelCleanups } from './cancel-cleanups';
import { createCleanUpBranch } from './clean-up-branch';
import { createCleanUpTogether } from './clean-up-together';
import { createCleanupWorker } from './cleanup-worker';
import { createEnqueueDueCleanups } from './enqueue-due-cleanups';
import { createRemoveRuns } from './remove-runs';
import { createRunRemoval } from './run-removal';
import { createWaitingBranchChanges } from './waiting-branch-changes';

/** Scheduled cleanups of deleted branches, each a task of its own. */
export const branchCleanup = (plan: PlanDelivery): HookModule => ({
  types: ['BranchDeletion'],
  unlisted: true,
  normalize: ({ config }) => ({ method: '', config }),
  create(resources) {
    const { redis, stores, queues } = resources;
    const waiting = createWaitingBranchChanges({ redis, plan, keyRepair: stores.keyRepair });
    const removal = createRunRemoval(resources);
    return {
      tasks: { RepoWebHook: { beforeRemoval: createCancelCleanups(resources, waiting) } },
      work({ hookLock, workerConnection, killed }) {
        const removeRuns = createRemoveRuns(resources, removal, killed);
        const worker = createCleanupWorker(resources, workerConnection, {
          cleanUpBranch: createCleanUpBranch(resources, { hookLock, waiting, removeRuns }),
          cleanUpTogether: createCleanUpTogether(resources, { hookLock, removeRuns }),
        });
        return {
          cleanups: createBranchCleanups(resources, { hookLock, removal }),
          lostJobs: createEnqueueDueCleanups({ store: stores.cleanups, queue: queues.cleanups }),
          async stop(deadlineMs) {
            await worker.close(deadlineMs);
            removal.close();
          },
        };
      },
    };
  },
});
