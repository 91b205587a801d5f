import {
  type Clock,
  NEW_STATE,
  timestampOfMs,
  type DeliveryStore,
  type Acceptance,
  type ServedType,
} from '@cds/hooks-store';
import { canonicalHeaders } from '../payloads/canonical-headers';
import { type DeliveryToJudge, judgeDelivery, type Verdict } from './validate-delivery';
import { requestUuidOf } from './request-uuid';

/** A delivery that was read, and whether it was signed. */
export interface ReadDelivery extends DeliveryToJudge {
  uuid: string;
  /** Name, value, name, value…, as they came. */
  rawHeaders: string[];
  signature: 'right' | 'none';
  /** Of the request, as it stands in the log. */
  requestId: string;
}

const DUPLICATE =
  'duplicate: a delivery with the same {same} was accepted before, see the execution {first}';

/** Judges a delivery as one to a hook of this type, and keeps it if the hook still is. */
export function createKeepDelivery(deps: { store: Pick<DeliveryStore, 'accept'>; now: Clock }) {
  return async function keepDelivery(
    type: ServedType,
    delivery: ReadDelivery,
  ): Promise<{ verdict: Verdict; acceptance: Acceptance }> {
    const verdict = judgeDelivery(type, delivery);
    const acceptedAt = deps.now();
    const processed = timestampOfMs(acceptedAt);
    const done = { ...NEW_STATE, status: 'DONE' as const, processing_timestamp: processed };
    const event = verdict.kind === 'ignore' ? verdict.event : '';
    const acceptance = await deps.store.accept({
      uuid: delivery.uuid,
      method: delivery.method,
      judgedFor: type,
      verdict: verdict.kind,
      signature: delivery.signature,
      requestUuid: requestUuidOf(delivery.headers),
      ...(verdict.kind === 'accept' ? { refChanges: verdict.changes } : {}),
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
    return { verdict, acceptance };
  };
}
