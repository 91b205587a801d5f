import type { DeliveryPlan } from '@cds/hooks-store';

/** The runs that a plan asks for, in order. */
export function runsOf({ steps }: DeliveryPlan): { payload: Record<string, string> }[] {
  return steps.flatMap((step) => (step.type === 'run' ? [{ payload: step.payload }] : []));
}
