import type { IncomingMessage } from 'node:http';
import { isTaskUuid, timestampOfId } from '@cds/hooks-store';
import { redisBudget } from '@cds/redis';
import { type FastPathHandler, requestIdOf, sendJson } from '@cds/service';
import { isCdsError } from '@cds/wire';
import { likelyValidator } from '../hook-modules';
import type { IncomingDelivery, Validation } from '../modules/incoming-delivery';
import { isDecodableQuery } from '../payloads/query-string';
import type { Resources } from '../resources';
import { createBodyBudget } from './body-budget';
import { createHookCheck } from './check-hook';
import { createIntakeLog } from './intake-log';
import { createIntakeMetrics } from './intake-metrics';
import { createRefusalRecords } from './record-refusals';
import { ClientGoneError, dropRestOfBody, readBody } from './read-body';
import { Refusal, type Sender, wrongMethod } from './refusal';
import { createRefusalLimit } from './refusal-limit';
import { deliveryToStore } from './store-delivery';
import { traceWebhooks } from './trace-webhooks';
import { createSignatureVerifier, type ShownSignature } from './verify-signature';
import { type AcceptedDelivery, WEBHOOK_METHODS } from './webhook-router';

interface Received {
  result: 'accepted' | 'ignored' | 'duplicate';
  answer: AcceptedDelivery;
}

const UNDECODABLE: Validation = {
  kind: 'refuse',
  reason: 'the query cannot be decoded: write a percent sign as %25',
};

/** The type of a hook may change while a delivery is validated. */
const MAX_VALIDATIONS = 2;

/**
 * The handler of `/webhook/{uuid}`, for Express and for the fast path. What it throws is a bug: it
 * is logged as an error and answered 500.
 */
export function createWebhookHandler(
  resources: Resources,
  state: {
    /** Why nothing may be accepted at all; undefined where it may. */
    whyNoDelivery: () => string | undefined;
    /** Reads the hooks of the API again, once a minute at most. */
    askedByDelivery: () => Promise<void>;
  },
) {
  const { config, stores, queues, intakeLoad, logger, now, tracing } = resources;
  const store = stores.deliveries;
  const bodies = createBodyBudget();
  const limit = createRefusalLimit();
  const log = createIntakeLog(logger);
  const recordRefusal = createRefusalRecords(resources, state.whyNoDelivery);
  const metrics = createIntakeMetrics(resources.metrics);
  const signatures = createSignatureVerifier(config);
  const askForHooks = () => void state.askedByDelivery();
  const { checkHook, absentHook, reserveRead } = createHookCheck({ signatures, askForHooks, now });

  /**
   * Look up → read → verify → validate → store → enqueue. When it returns, the delivery is in
   * Redis.
   *
   * A signed delivery costs one round trip to Redis, and so does an unsigned one whose body came
   * with its head. The hook is looked up before the body is read for other unsigned ones, where the
   * address was refused too often, and while many bodies are being read. A refused delivery then
   * costs the lookup alone.
   *
   * @throws Refusal; CdsError 503 where Redis does not answer; ClientGoneError
   */
  async function receive(
    request: IncomingMessage,
    { uuid, address, requestId }: Sender,
    measurement: ReturnType<typeof metrics.begin>,
  ): Promise<Received> {
    const { method = '', url = '', headers, rawHeaders } = request;
    if (!WEBHOOK_METHODS.includes(method)) throw wrongMethod(method);
    if (!isTaskUuid(uuid)) throw new Refusal('unknown');
    const whyNone = state.whyNoDelivery();
    if (whyNone !== undefined) throw new Refusal('not_known_yet', { from: whyNone });

    // Look up.
    const redis = redisBudget();
    const shown = signatures.shown(headers);
    const looksFirst =
      !(shown === 'bitbucket' || (await isUnsignedAndHere(request, shown))) ||
      limit.retryAfter(address) !== undefined ||
      bodies.isCrowded();
    const hook = looksFirst ? await redis(store.lookUp(uuid)) : undefined;
    // A right signature shows that an absent hook was ours.
    const absent = hook?.kind === 'unknown' && shown === 'bitbucket' ? hook : undefined;
    const sent = { uuid, method, shown };
    let validator = hook && !absent ? checkHook(hook, sent) : likelyValidator(headers);

    // Read.
    const endRead = absent && reserveRead(uuid, absent);
    const reading = measurement.sending(readBody(request, bodies));
    const body = await (endRead ? reading.finally(endRead) : reading);

    // Verify, before anything is parsed.
    const isSigned = shown === 'bitbucket';
    const isRight = isSigned && signatures.isRight(uuid, headers, body);
    if (absent) throw absentHook(uuid, absent, isRight);
    if (isSigned && !isRight) {
      if (!hook) checkHook(await redis(store.lookUp(uuid)), sent);
      throw new Refusal('unauthentic');
    }

    const delivery: IncomingDelivery = {
      ...{ uuid, method, headers, rawHeaders, body, address, requestId },
      query: url.replace(/^[^?]*\??/, ''),
      signature: isRight ? 'right' : 'none',
      traceparent: tracing?.traceparent(),
    };
    for (let validations = 0; validations < MAX_VALIDATIONS; validations++) {
      // Validate.
      const validation = isDecodableQuery(delivery.query)
        ? validator.validate(delivery)
        : UNDECODABLE;

      // Store.
      const toStore = deliveryToStore(delivery, validator.type, validation, now());
      const stored = await redis(intakeLoad.during(store.accept(toStore)));
      switch (stored.kind) {
        case 'accepted': {
          const isIgnored = validation.kind === 'ignore';
          const timestamp = timestampOfId(stored.id);
          log.accepted(delivery, validation, timestamp);
          // Enqueue.
          if (!isIgnored) queues.stored(uuid, stored);
          const answer = { uuid, type: stored.type, timestamp };
          return { result: isIgnored ? 'ignored' : 'accepted', answer };
        }
        case 'duplicate': {
          const timestamp = timestampOfId(stored.firstId);
          log.duplicate(delivery, stored, timestamp);
          return { result: 'duplicate', answer: { uuid, type: stored.type, timestamp } };
        }
        case 'other-type':
          // The headers, or the lookup, made another type likely.
          validator = checkHook({ kind: 'known', type: stored.type, method, signed: false }, sent);
          break;
        case 'wrong-method':
          throw wrongMethod(method);
        case 'unsigned':
          throw new Refusal('unauthentic');
        case 'refused':
          throw new Refusal('malformed', {
            from: validation.kind === 'refuse' ? validation.reason : '',
          });
        case 'unknown':
          throw absentHook(uuid, stored, isRight);
      }
    }
    throw new Refusal('unknown');
  }

  /**
   * Whether a delivery without a signature may be stored as it is: then the storing script is the
   * lookup. What one read of the socket brought with the head bounds its body.
   */
  async function isUnsignedAndHere(
    request: IncomingMessage,
    shown: ShownSignature,
  ): Promise<boolean> {
    if (shown !== 'none' || config.signature === 'required') return false;
    // The handler is called for the head: the parser comes to the body later in this turn.
    await new Promise((resolve) => setImmediate(resolve));
    return request.complete;
  }

  const handle: FastPathHandler = async (request, response, { parameter: uuid, address }) => {
    const measurement = metrics.begin();
    const from = { uuid, address, requestId: requestIdOf(response) };
    try {
      const { result, answer } = await receive(request, from, measurement);
      sendJson(response, 200, answer);
      tracing?.annotate({
        ...{ 'cds.hook': uuid, 'cds.hook.type': answer.type, 'cds.delivery.result': result },
        ...{ 'cds.execution': String(answer.timestamp), 'cds.request_id': from.requestId },
      });
      measurement.end(result);
    } catch (error) {
      if (error instanceof ClientGoneError) return measurement.end('broken_off');
      dropRestOfBody(request, response);
      if (!isCdsError(error)) {
        measurement.end('failed');
        throw error;
      }
      const refusal = limit.apply(error, address);
      log.refused(error, refusal, from, request.url ?? '');
      recordRefusal(error, from, request);
      for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
      sendJson(response, refusal.status, refusal.toBody());
      measurement.end(refusal instanceof Refusal ? refusal.reason : 'unavailable');
    }
  };

  return { handle: tracing ? traceWebhooks(handle, tracing) : handle, metrics };
}
