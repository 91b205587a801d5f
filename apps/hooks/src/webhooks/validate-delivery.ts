import type { IncomingHttpHeaders } from 'node:http';
import type { ServedType, RefChange } from '@cds/hooks-store';
import { isDecodableQuery } from '../payloads/query-string';
import { judgeRepositoryDelivery } from '../modules/repository-webhook/validate-delivery';
import { judgeWebhookDelivery } from '../modules/webhook/plan-webhook';

/** What a delivery is judged by. */
export interface DeliveryToJudge {
  method: string;
  /** Raw, without the question mark. */
  query: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Whether a delivery leads to runs (`accept`), to nothing, or cannot be read. `reason` is for its sender. */
export type Verdict =
  /** `unreadable`: what is wrong with the parts of it that are left out. */
  | { kind: 'accept'; changes?: RefChange[]; unreadable?: readonly string[] }
  | { kind: 'ignore'; event: string }
  | { kind: 'refuse'; reason: string };

/** Most deliveries tell by their headers which type of hook they are for; Redis knows. */
export function likelyType(headers: IncomingHttpHeaders): ServedType {
  return headers['x-event-key'] === undefined ? 'Webhook' : 'RepoWebHook';
}

/** Judges a delivery to a hook of this type, before anything of it is kept. */
export function judgeDelivery(type: ServedType, delivery: DeliveryToJudge): Verdict {
  const { query, headers, body } = delivery;
  if (!isDecodableQuery(query)) {
    return { kind: 'refuse', reason: 'the query cannot be decoded: write a percent sign as %25' };
  }
  if (type === 'RepoWebHook') {
    const verdict = judgeRepositoryDelivery(headers, body);
    switch (verdict.kind) {
      case 'push':
        return { ...verdict, kind: 'accept' };
      case 'ignored':
        return { kind: 'ignore', event: verdict.event };
      case 'malformed':
        return { kind: 'refuse', reason: verdict.reason };
      case 'foreign':
        return {
          kind: 'refuse',
          reason: `this is a delivery of ${verdict.sender}: this service takes those of Bitbucket Cloud alone`,
        };
    }
  }
  const method = {
    value: delivery.method,
    configurable: false,
    type: '',
    multiple_choice_list: null,
  };
  const contentType = headers['content-type'] ?? '';
  const verdict = judgeWebhookDelivery({ config: { method }, query, contentType, body });
  return verdict.kind === 'ok' ? { kind: 'accept' } : { kind: 'refuse', reason: verdict.reason };
}
