import type { IncomingHttpHeaders } from 'node:http';
import {
  type Clock,
  timestampOfId,
  isTaskUuid,
  type DeliveryStore,
  type AbsentHook,
  type HookOnFile,
} from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { nanosecondsSchema, type TaskType, taskTypeSchema } from '@cds/wire';
import { z } from 'zod';
import { redisBudget } from '@cds/redis';
import { createAbsentHook, type AbsentHookDeps } from './absent-hook';
import { likelyType, validatorOf } from '../hook-modules';
import type { IncomingDelivery as ReadDelivery } from '../modules/incoming-delivery';
import { createKeepDelivery } from './store-delivery';
import {
  limited,
  malformed,
  notAuthentic,
  notKnownYet,
  notServed,
  Refusal,
  unknownHook,
  wrongMethod,
} from './refusal';
import type { RefusalLimit } from './refusal-limit';
import type { RefusalLog } from './refusal-log';
import { requestUuidOf } from './request-uuid';
import type { ShownSignature, SignatureCheck } from './signature-check';

/** A request to `/webhook/{uuid}`, whatever brought it. */
export interface IncomingDelivery {
  uuid: string;
  method: string;
  /** Raw, without the question mark. */
  query: string;
  headers: IncomingHttpHeaders;
  /** Name, value, name, value…, as they came. */
  rawHeaders: string[];
  /** Of the sender, as far as it is known. */
  address: string;
  /** Names the request in the log, from here to the run. */
  requestId: string;
  /** Called once at most, and not for a delivery that is refused whatever its body is. */
  readBody: () => Promise<Buffer>;
}

/** What the sender is told; nothing of the hook's configuration. */
export const acceptedDeliverySchema = z
  .object({ uuid: z.string(), type: taskTypeSchema, timestamp: nanosecondsSchema })
  .meta({ id: 'AcceptedDelivery' });
export type AcceptedDelivery = z.infer<typeof acceptedDeliverySchema>;

export interface TakenDelivery {
  result: 'accepted' | 'ignored' | 'duplicate';
  answer: AcceptedDelivery;
}

export interface AcceptDeliveryDeps extends AbsentHookDeps {
  /** Why nothing may be taken at all; undefined where it may. */
  whyNone: () => string | undefined;
  store: Pick<DeliveryStore, 'lookUp' | 'accept'>;
  signature: SignatureCheck;
  limit: RefusalLimit;
  warnOnce: RefusalLog;
  /** Whether too many bodies are on their way to wait for one of which nothing is known. */
  isCrowded: () => boolean;
  /** Called for a hook that has something to do now: so many deliveries, the new one included. */
  workArrived: (uuid: string, waiting: number) => void;
  logger: Logger;
  now: Clock;
}

export const WEBHOOK_METHODS: readonly string[] = ['POST', 'GET', 'PUT', 'DELETE'];

/** The type of a hook may change while a delivery is judged for the one it had. */
const MOST_JUDGEMENTS = 2;
/** Changes of one delivery that are named in the log. */
const MOST_NAMED = 10;

/**
 * Takes a delivery in. When it returns, the delivery is in Redis and will be worked off whatever happens next.
 *
 * With a right signature that is one round trip to Redis, and nothing is parsed before the signature was found right.
 * Without one, for addresses that were refused too often, and while many bodies are on their way,
 * the hook is looked up before the body is read: a refused delivery costs that lookup and no more.
 * Where there is no such hook, few bodies with a signature are read at a time all the same: one
 * that is right shows that the hook was ours.
 *
 * Knows nothing of Express: bytes and headers in, an answer or a refusal out.
 */
export function createAcceptDelivery(deps: AcceptDeliveryDeps) {
  const { store, signature, limit, warnOnce, isCrowded, workArrived, logger } = deps;
  const keepDelivery = createKeepDelivery(deps);
  const { refusalOf, refusalOfSigned } = createAbsentHook(deps);

  /** @throws Refusal when the hook takes no delivery with such headers, whatever its body is */
  function checkHook(
    uuid: string,
    hook: HookOnFile | AbsentHook,
    method: string,
    shown: ShownSignature,
  ): TaskType {
    if (hook.kind === 'unknown') throw refusalOf(uuid, hook, false);
    if (hook.method !== method) throw wrongMethod(method);
    const { type, signed } = hook;
    const validator = validatorOf(type);
    if (!validator) throw notServed(type);
    if (signature.isRefused(shown, { anySender: validator.anySender === true, signed }))
      throw notAuthentic();
    return type;
  }

  async function take(delivery: IncomingDelivery): Promise<TakenDelivery> {
    const { uuid, method, query, headers, rawHeaders, address, requestId } = delivery;
    if (!WEBHOOK_METHODS.includes(method)) throw wrongMethod(method);
    if (!isTaskUuid(uuid)) throw unknownHook();
    const whyNone = deps.whyNone();
    if (whyNone !== undefined) throw notKnownYet(whyNone);

    const answered = redisBudget();
    const shown = signature.shown(headers);
    const lookUp = () => answered(() => store.lookUp(uuid));
    const looksFirst =
      shown !== 'bitbucket' || limit.retryAfter(address) !== undefined || isCrowded();
    const hook = looksFirst ? await lookUp() : undefined;
    if (hook?.kind === 'unknown' && shown === 'bitbucket') {
      throw await refusalOfSigned(uuid, hook, async () =>
        signature.isRight(uuid, headers, await delivery.readBody()),
      );
    }
    const type = hook ? checkHook(uuid, hook, method, shown) : likelyType(headers);

    const body = await delivery.readBody();
    const isRight = shown === 'bitbucket' && signature.isRight(uuid, headers, body);
    if (shown === 'bitbucket' && !isRight) {
      if (!hook) checkHook(uuid, await lookUp(), method, shown);
      throw notAuthentic();
    }
    const read: ReadDelivery = {
      ...{ uuid, method, query, headers, rawHeaders, body, address, requestId },
      signature: isRight ? 'right' : 'none',
    };
    return keep(type, read, { address, shown, answered });
  }

  async function keep(
    likely: TaskType,
    delivery: ReadDelivery,
    { address, shown, answered }: KeepContext,
  ): Promise<TakenDelivery> {
    const { uuid, method, requestId } = delivery;
    const isLogged = logger.isLevelEnabled('debug');
    const log = (execution: number, message: string): void => {
      if (!isLogged) return;
      logger.debug(
        { requestId, hook: uuid, execution, requestUuid: requestUuidOf(delivery.headers) },
        message,
      );
    };
    let type = likely;
    for (let judgements = 0; judgements < MOST_JUDGEMENTS; judgements++) {
      const judgedFor = type;
      const { validation: verdict, acceptance } = await answered(() =>
        keepDelivery(judgedFor, delivery),
      );
      switch (acceptance.kind) {
        case 'accepted': {
          const isIgnored = verdict.kind !== 'accept';
          const timestamp = timestampOfId(acceptance.id);
          log(timestamp, isIgnored ? 'a delivery was kept as ignored' : 'a delivery was accepted');
          if (!isIgnored) workArrived(uuid, acceptance.waiting);
          if (verdict.kind === 'accept' && verdict.unreadable?.length)
            warnOnce('changes of a delivery cannot be read, they are left out', uuid, {
              ...{ hook: uuid, execution: timestamp, requestId },
              changes: verdict.unreadable.slice(0, MOST_NAMED),
            });
          return {
            result: isIgnored ? 'ignored' : 'accepted',
            answer: { uuid, type: acceptance.type, timestamp },
          };
        }
        case 'duplicate': {
          if (acceptance.isDouble) {
            warnOnce(
              'a change was delivered twice and leads to one run: does the repository have two webhooks with the url of this hook?',
              uuid,
              { hook: uuid, requestId, webhook: delivery.headers['x-hook-uuid'] },
            );
          }
          if (acceptance.anotherBody) {
            warnOnce(
              'a delivery came under the X-Request-UUID of an earlier one with another body: taken for that one',
              uuid,
              { hook: uuid, address, requestId },
            );
          }
          const timestamp = timestampOfId(acceptance.firstId);
          log(timestamp, 'a delivery was sent again: see the execution of the first');
          return { result: 'duplicate', answer: { uuid, type: acceptance.type, timestamp } };
        }
        case 'judge':
          type = checkHook(
            uuid,
            { kind: 'known', type: acceptance.type, method, signed: false },
            method,
            shown,
          );
          break;
        case 'wrong-method':
          throw wrongMethod(method);
        case 'unsigned':
          throw notAuthentic();
        case 'refused':
          throw malformed(verdict.kind === 'refuse' ? verdict.reason : '');
        case 'unknown':
          throw refusalOf(uuid, acceptance, delivery.signature === 'right');
      }
    }
    // Its type changed each time that it was judged: there is no such hook any more.
    throw unknownHook();
  }

  /** Counts and logs a refusal that a stranger can cause. @returns what the sender gets */
  function refuse(refusal: Refusal, { uuid, address, requestId }: IncomingDelivery): Refusal {
    const seconds = limit.count(address);
    const fields = { hook: isTaskUuid(uuid) ? uuid : undefined, address, requestId };
    // Of unknown hooks there may be any number.
    if (refusal.reason === 'unknown') {
      warnOnce('a delivery for an unknown hook was refused', '', fields);
    } else {
      warnOnce('a delivery that is not authentic was refused', uuid, fields);
    }
    return seconds === undefined ? refusal : limited(seconds);
  }

  /** @throws Refusal; CdsError 503; what `readBody` throws */
  return async function acceptDelivery(delivery: IncomingDelivery): Promise<TakenDelivery> {
    try {
      return await take(delivery);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const isOfStranger = error.reason === 'unknown' || error.reason === 'unauthentic';
      throw isOfStranger ? refuse(error, delivery) : error;
    }
  };
}

interface KeepContext {
  address: string;
  shown: ShownSignature;
  answered: ReturnType<typeof redisBudget>;
}

export type AcceptDelivery = ReturnType<typeof createAcceptDelivery>;
