import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from '@cds/service';
import { CdsError, type TaskType } from '@cds/wire';
import { type Clock, timestampOfId, timestampOfMs, NEW_STATE } from '@cds/hooks-store';
import type { Acceptance, DeliveryStore, ServedType } from '../executions/delivery-store';
import {
  canonicalHeaders,
  isDecodableQuery,
  judgeRepositoryDelivery,
  judgeWebhookDelivery,
} from '../payloads';
import { isTaskUuid } from '../tasks/task-uuid';

/** A request to `/webhook/{uuid}`, whatever brought it. */
export interface IncomingDelivery {
  uuid: string;
  method: string;
  /** Raw, without the question mark. */
  query: string;
  headers: IncomingHttpHeaders;
  /** Name, value, name, value…, as they came. */
  rawHeaders: string[];
  body: Buffer;
}

/** What the sender is told; nothing of the hook's configuration. */
export interface AcceptedDelivery {
  uuid: string;
  type: TaskType;
  timestamp: number;
}

export interface AcceptDeliveryDeps {
  store: DeliveryStore;
  /** Called for a hook that has something to do now. */
  workArrived: (uuid: string) => void;
  logger: Logger;
  now: Clock;
}

type Verdict =
  { kind: 'accept' } | { kind: 'ignore'; event: string } | { kind: 'refuse'; reason: string };

export const WEBHOOK_METHODS: readonly string[] = ['POST', 'GET', 'PUT', 'DELETE'];

/** Most deliveries tell by their headers which type of hook they are for; Redis knows. */
function likelyType(headers: IncomingHttpHeaders): ServedType {
  return headers['x-event-key'] === undefined ? 'Webhook' : 'RepoWebHook';
}

function judge(type: ServedType, delivery: IncomingDelivery): Verdict {
  const { query, headers, body } = delivery;
  if (!isDecodableQuery(query)) {
    return { kind: 'refuse', reason: 'the query cannot be decoded: write a percent sign as %25' };
  }
  if (type === 'RepoWebHook') {
    const verdict = judgeRepositoryDelivery(headers, body);
    switch (verdict.kind) {
      case 'push':
        return { kind: 'accept' };
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

/**
 * Takes a delivery in. When it returns, the delivery is in Redis and will be worked off whatever happens next.
 *
 * Knows nothing of Express: bytes and headers in, an answer or a refusal out.
 */
export function createAcceptDelivery(deps: AcceptDeliveryDeps) {
  const { store, workArrived, logger, now } = deps;

  async function acceptAs(
    type: ServedType,
    delivery: IncomingDelivery,
  ): Promise<{ verdict: Verdict; acceptance: Acceptance }> {
    const verdict = judge(type, delivery);
    const acceptedAt = now();
    const acceptance = await store.accept({
      uuid: delivery.uuid,
      method: delivery.method,
      judgedFor: type,
      verdict: verdict.kind,
      acceptedAt,
      webhook: {
        request_url: delivery.query,
        request_body: delivery.body.toString('base64'),
        request_header: canonicalHeaders(delivery.rawHeaders),
        request_method: '',
      },
      state: {
        ...NEW_STATE,
        status: 'DONE',
        processing_timestamp: timestampOfMs(acceptedAt),
        last_error: verdict.kind === 'ignore' ? `ignored: ${verdict.event} starts no workflow` : '',
      },
    });
    return { verdict, acceptance };
  }

  /** @throws CdsError 404, 405, 400, 501 */
  return async function acceptDelivery(delivery: IncomingDelivery): Promise<AcceptedDelivery> {
    const { uuid, method } = delivery;
    if (!WEBHOOK_METHODS.includes(method)) throw methodNotAllowed(method);
    if (!isTaskUuid(uuid)) throw unknownHook();

    let { verdict, acceptance } = await acceptAs(likelyType(delivery.headers), delivery);
    if (acceptance.kind === 'judge') {
      if (acceptance.type !== 'RepoWebHook' && acceptance.type !== 'Webhook') {
        throw new CdsError('notImplemented', {
          from: `hooks of type ${acceptance.type} take no webhooks`,
        });
      }
      ({ verdict, acceptance } = await acceptAs(acceptance.type, delivery));
    }

    switch (acceptance.kind) {
      case 'accepted':
        if (verdict.kind === 'accept') workArrived(uuid);
        else logger.debug({ hook: uuid }, 'a delivery was kept as ignored');
        return { uuid, type: acceptance.type, timestamp: timestampOfId(acceptance.id) };
      case 'wrong-method':
        throw methodNotAllowed(method);
      case 'refused':
        throw new CdsError('wrongRequest', {
          from: verdict.kind === 'refuse' ? verdict.reason : undefined,
        });
      case 'judge': // Its type changed twice while it was judged: there is no such hook any more.
      case 'unknown':
        throw unknownHook();
    }
  };
}

export type AcceptDelivery = ReturnType<typeof createAcceptDelivery>;

function unknownHook(): CdsError {
  return new CdsError('notFound', { from: 'no hook has this uuid' });
}

function methodNotAllowed(method: string): CdsError {
  return new CdsError('methodNotAllowed', { from: `this hook does not take ${method}` });
}
