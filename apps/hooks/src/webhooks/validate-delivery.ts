import type { TaskType } from '@cds/wire';
import { validatorOf } from '../hook-modules';
import type { IncomingDelivery, Validation } from '../modules/incoming-delivery';
import { isDecodableQuery } from '../payloads/query-string';
import { notServed } from './refusal';

/**
 * Validates a delivery to a hook of this type, before anything of it is stored.
 *
 * @throws Refusal when hooks of this type take no deliveries
 */
export function validateDelivery(type: TaskType, delivery: IncomingDelivery): Validation {
  if (!isDecodableQuery(delivery.query)) {
    return { kind: 'refuse', reason: 'the query cannot be decoded: write a percent sign as %25' };
  }
  const validator = validatorOf(type);
  if (!validator) throw notServed(type);
  return validator.validate(delivery);
}
