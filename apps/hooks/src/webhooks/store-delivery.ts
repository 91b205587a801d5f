import type { IncomingHttpHeaders } from 'node:http';
import { type DeliveryToAccept, NEW_STATE, timestampOfMs } from '@cds/hooks-store';
import type { TaskType } from '@cds/wire';
import type { IncomingDelivery, Validation } from '../modules/incoming-delivery';
import { canonicalHeaders } from '../payloads/canonical-headers';

const DUPLICATE =
  'duplicate: a delivery with the same {same} was accepted before, see the execution {first}';

/** Visible characters. Node.js joins several headers by a comma and a space. */
const USABLE = /^[\x21-\x7e]{1,128}$/;

/**
 * What is stored of a delivery.
 *
 * @param type of the hook that it was validated for
 * @param acceptedAt milliseconds
 */
export function deliveryToStore(
  delivery: IncomingDelivery,
  type: TaskType,
  validation: Validation,
  acceptedAt: number,
): DeliveryToAccept {
  const processed = timestampOfMs(acceptedAt);
  const done = { ...NEW_STATE, status: 'DONE' as const, processing_timestamp: processed };
  const event = validation.kind === 'ignore' ? validation.event : '';
  return {
    uuid: delivery.uuid,
    method: delivery.method,
    validatedFor: type,
    validation: validation.kind,
    signature: delivery.signature,
    requestUuid: requestUuidOf(delivery.headers),
    ...(validation.kind === 'accept' ? { refChanges: validation.changes } : {}),
    acceptedAt,
    requestId: delivery.requestId,
    traceparent: delivery.traceparent,
    received: {
      webhook: {
        request_url: delivery.query,
        request_body: '',
        request_header: canonicalHeaders(delivery.rawHeaders),
        request_method: '',
      },
    },
    body: delivery.body,
    ignored: { ...done, last_error: `ignored: ${event} starts no workflow` },
    duplicate: { ...done, last_error: DUPLICATE },
  };
}

/**
 * The `X-Request-UUID`, which Bitbucket repeats when it sends a delivery again. Empty where there
 * is no usable one: such a delivery is never a duplicate by it.
 */
export function requestUuidOf(headers: IncomingHttpHeaders): string {
  const header = String(headers['x-request-uuid'] ?? '');
  return USABLE.test(header) ? header : '';
}
