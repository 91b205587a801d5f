import { flattenJsonText } from '../../payloads/flatten-json';
import { planOfRun } from '../../payloads/plan-of-run';
import type { DeliveryPlan } from '@cds/hooks-store';

/**
 * Plans the run of a message: the flattened values of a JSON object or array, and the text as
 * `payload`. Other text gives `payload` alone, as in CDS.
 *
 * @throws MalformedExecutionError when the variables are too many
 */
export function planMessage(message: Buffer): DeliveryPlan {
  const text = message.toString('utf8');
  return planOfRun([...flattenJsonText(text), ['payload', text]]);
}
