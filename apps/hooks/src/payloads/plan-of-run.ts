import type { DeliveryPlan } from '@cds/hooks-store';

/** The plan of what asks for one run and has nothing to do with a repository. */
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
