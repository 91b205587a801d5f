import { LRUCache } from 'lru-cache';
import { type Acceptance, isTaskUuid } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { CdsError } from '@cds/wire';
import type { IncomingDelivery, Validation } from '../modules/incoming-delivery';
import { Refusal, type RefusalReason } from './refusal';
import { requestUuidOf } from './store-delivery';

const ONCE_IN_MS = 60_000;
const MAX_SUBJECTS = 1_000;
/** Changes of one delivery that are named. */
const MAX_NAMED = 10;

/** About refusals of which somebody may have to know. */
const WARNINGS: Partial<Record<RefusalReason, string>> = {
  unknown: 'a delivery for an unknown hook was refused',
  unauthentic: 'a delivery that is not authentic was refused',
  crowded_out: 'more is being sent to webhooks at once than fits: the slowest senders are refused',
  too_slow: 'a delivery was sent too slowly and is refused with 503',
};

interface RefusedRequest extends Pick<IncomingDelivery, 'uuid' | 'address' | 'requestId'> {
  url: string;
}

/** What is logged of deliveries. Nothing of a body or a header is. */
export function createIntakeLog({ logger }: { logger: Logger }) {
  const warnOnce = createWarnOnce({ logger });

  function stored({ requestId, uuid, headers }: IncomingDelivery, execution: number, what: string) {
    if (!logger.isLevelEnabled('debug')) return;
    const requestUuid = requestUuidOf(headers);
    logger.debug({ requestId, hook: uuid, execution, requestUuid }, what);
  }

  return {
    /** @param execution its timestamp */
    accepted(delivery: IncomingDelivery, validation: Validation, execution: number): void {
      const isIgnored = validation.kind === 'ignore';
      const message = isIgnored ? 'a delivery was kept as ignored' : 'a delivery was accepted';
      stored(delivery, execution, message);
      if (validation.kind !== 'accept' || !validation.unreadable?.length) return;
      const { uuid, requestId } = delivery;
      const changes = validation.unreadable.slice(0, MAX_NAMED);
      warnOnce('changes of a delivery cannot be read, they are left out', uuid, {
        ...{ hook: uuid, execution, requestId, changes },
      });
    },

    /** @param first the timestamp of the execution that it is a duplicate of */
    duplicate(
      delivery: IncomingDelivery,
      { isDouble, anotherBody }: Acceptance & { kind: 'duplicate' },
      first: number,
    ): void {
      const { uuid, address, requestId, headers } = delivery;
      stored(delivery, first, 'a delivery was sent again: see the execution of the first');
      if (isDouble) {
        warnOnce(
          'a change was delivered twice and leads to one run: does the repository have two webhooks with the url of this hook?',
          uuid,
          { hook: uuid, requestId, webhook: headers['x-hook-uuid'] },
        );
      }
      if (anotherBody) {
        warnOnce(
          'a delivery came under the X-Request-UUID of an earlier one with another body: taken for that one',
          uuid,
          { hook: uuid, address, requestId },
        );
      }
    },

    /**
     * Not left to the error middleware, which warns of each: a flood would fill the disk.
     *
     * @param error why it was refused
     * @param answer what its sender is told
     */
    refused(error: CdsError, answer: CdsError, sender: RefusedRequest): void {
      const { uuid: hook, address, requestId } = sender;
      const { uuid, status, message } = answer;
      const [path] = sender.url.split('?', 1);
      logger.debug({ uuid, requestId, status, path, error: message }, 'Delivery refused');
      if (!(error instanceof Refusal)) {
        warnOnce('deliveries are refused with 503: Redis does not take them', '', {
          ...{ uuid, requestId, error: error.cause },
        });
        return;
      }
      const warning = WARNINGS[error.reason];
      if (warning === undefined) return;
      // Of unknown hooks there may be any number: they are no subject.
      const subject = error.reason === 'unauthentic' ? hook : '';
      const named = error.isOfStranger && isTaskUuid(hook) ? { hook } : {};
      warnOnce(warning, subject, { ...named, address, requestId });
    },
  };
}

/**
 * Warnings about what comes from outside, of which anybody can cause any number: one line a minute
 * for each message and subject, with the number of those left out since the last one.
 */
export function createWarnOnce(deps: { logger: Logger }) {
  const logged = new LRUCache<string, { until: number; leftOut: number }>({ max: MAX_SUBJECTS });

  /**
   * @param message static
   * @param subject what the line is about, mostly a hook; nothing of which there may be any number
   * @param fields never anything of a body or a header
   */
  return function warnOnce(message: string, subject: string, fields: object): void {
    const key = `${message}/${subject}`;
    const last = logged.get(key);
    const now = performance.now();
    if (last && now < last.until) {
      last.leftOut++;
      return;
    }
    logged.set(key, { until: now + ONCE_IN_MS, leftOut: 0 });
    deps.logger.warn({ ...fields, leftOut: last?.leftOut ?? 0 }, message);
  };
}
