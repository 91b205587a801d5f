import type { DeliveryPlan } from '@cds/hooks-store';

/**
 * The plan of one run without a repository.
 *
 * @param payload names and values, of which the last one for a name counts
 */
export function planOfRun(payload: Iterable<readonly [string, string]>): DeliveryPlan {
  // Not assigned, so that `__proto__` is a name like any other.
  return { repository: '', steps: [{ type: 'run', payload: Object.fromEntries(payload) }] };
}
