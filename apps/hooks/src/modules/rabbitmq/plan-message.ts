import { FlattenedTooLargeError, flattenJsonText } from '../../payloads/flatten-json';
import { MalformedMessageError } from '../../payloads/malformed-delivery';
import { planOfRun } from '../../payloads/plan-of-run';
import type { DeliveryPlan } from '@cds/hooks-store';

/**
 * The run that a message of a queue asks for: the flattened values of a JSON object or array, and its text as `payload`.
 * Another text gives `payload` alone, as CDS does it.
 *
 * @throws MalformedMessageError when it flattens into too much
 */
export function planMessage(message: Buffer): DeliveryPlan {
  const text = message.toString('utf8');
  // No assignment takes place, so that `__proto__` is a name like any other.
  return planOfRun(Object.fromEntries<string>([...flattened(text), ['payload', text]]));
}

function flattened(text: string): Map<string, string> {
  try {
    return flattenJsonText(text);
  } catch (error) {
    if (!(error instanceof FlattenedTooLargeError)) throw error;
    throw new MalformedMessageError(error.message, { cause: error });
  }
}
