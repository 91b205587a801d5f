import type { DeliveryPlan } from '@cds/hooks-store';

/** The plan of one run without a repository. */
export function planOfRun(payload: Record<string, string>): DeliveryPlan {
  return {
    runs: [{ payload }],
    steps: [{ type: 'run', payload }],
    deletedBranches: [],
    pushedBranches: [],
    changes: [],
    repository: '',
  };
}
