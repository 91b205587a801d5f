import {
  type Clock,
  NEW_STATE,
  timestampOfMs,
  type DeliveryStore,
  type Acceptance,
} from '@cds/hooks-store';
import type { TaskType } from '@cds/wire';
import type { IncomingDelivery, Validation } from '../modules/incoming-delivery';
import { canonicalHeaders } from '../payloads/canonical-headers';
import { validateDelivery } from './validate-delivery';
import { requestUuidOf } from './request-uuid';

const DUPLICATE =
  'duplicate: a delivery with the same {same} was accepted before, see the execution {first}';

/** Validates a delivery as one to a hook of this type, and keeps it if the hook still is. */
export function createKeepDelivery(deps: { store: Pick<DeliveryStore, 'accept'>; now: Clock }) {
  return async function keepDelivery(
    type: TaskType,
    delivery: IncomingDelivery,
  ): Promise<{ validation: Validation; acceptance: Acceptance }> {
    const validation = validateDelivery(type, delivery);
    const acceptedAt = deps.now();
    const processed = timestampOfMs(acceptedAt);
    const done = { ...NEW_STATE, status: 'DONE' as const, processing_timestamp: processed };
    const event = validation.kind === 'ignore' ? validation.event : '';
    const acceptance = await deps.store.accept({
      uuid: delivery.uuid,
      method: delivery.method,
      judgedFor: type,
      verdict: validation.kind,
      signature: delivery.signature,
      requestUuid: requestUuidOf(delivery.headers),
      ...(validation.kind === 'accept' ? { refChanges: validation.changes } : {}),
      acceptedAt,
      requestId: delivery.requestId,
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
    });
    return { validation, acceptance };
  };
}
