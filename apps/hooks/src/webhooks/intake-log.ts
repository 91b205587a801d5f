import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import { type Acceptance, isTaskUuid } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { CdsError } from '@cds/wire';
import type { IncomingDelivery, Validation } from '../modules/incoming-delivery';
import { Refusal, type RefusalReason, type Sender } from './refusal';
import { requestUuidOf } from './store-delivery';

const ONCE_IN_MS = 60_000;
const MAX_SUBJECTS = 1_000;
/** Changes of one delivery that a warning names. */
const MAX_NAMED = 10;

/** Refusals that an operator may have to act on. */
const WARNINGS: Partial<Record<RefusalReason, string>> = {
  unknown: 'delivery refused: the hook is unknown',
  unauthentic: 'delivery refused: it is not authentic',
  crowded_out: 'delivery refused: too many bodies at once, the slowest senders are refused',
  too_slow: 'delivery refused: it was sent too slowly',
};

/** Logs deliveries, without anything of their bodies or headers. */
export function createIntakeLog(logger: Logger) {
  const warnOnce = createWarnOnce(logger);

  function stored({ requestId, uuid, headers }: IncomingDelivery, execution: number, what: string) {
    if (!logger.isLevelEnabled('debug')) return;
    const requestUuid = requestUuidOf(headers);
    logger.debug({ requestId, hook: uuid, execution, requestUuid }, what);
  }

  return {
    /** @param execution its timestamp */
    accepted(delivery: IncomingDelivery, validation: Validation, execution: number): void {
      const isIgnored = validation.kind === 'ignore';
      const message = isIgnored ? 'delivery stored as ignored' : 'delivery accepted';
      stored(delivery, execution, message);
      if (validation.kind !== 'accept' || !validation.unreadable?.length) return;
      const { uuid, requestId } = delivery;
      const changes = validation.unreadable.slice(0, MAX_NAMED);
      const fields = { hook: uuid, execution, requestId, changes };
      warnOnce('unreadable changes of a delivery are left out', uuid, fields);
    },

    /** @param first the timestamp of the execution that it is a duplicate of */
    duplicate(
      delivery: IncomingDelivery,
      { isDouble, anotherBody }: Acceptance & { kind: 'duplicate' },
      first: number,
    ): void {
      const { uuid, address, requestId, headers } = delivery;
      stored(delivery, first, 'delivery is a duplicate: see the execution of the first');
      if (isDouble) {
        warnOnce(
          'branch change was delivered twice and starts one run: does the repository have two ' +
            'webhooks with the URL of this hook?',
          uuid,
          { hook: uuid, requestId, webhook: headers['x-hook-uuid'] },
        );
      }
      if (anotherBody) {
        warnOnce(
          'delivery has the X-Request-UUID of an earlier one with another body: taken as its ' +
            'duplicate',
          uuid,
          { hook: uuid, address, requestId },
        );
      }
    },

    /**
     * Not left to the error middleware, which warns of each error: a flood would fill the disk.
     *
     * @param error why it was refused
     * @param answer the answer to the sender
     */
    refused(error: CdsError, answer: CdsError, sender: Sender, url: string): void {
      const { uuid: hook, address, requestId } = sender;
      const { uuid, status, message } = answer;
      const [path] = url.split('?', 1);
      logger.debug({ uuid, requestId, status, path, error: message }, 'delivery refused');
      if (!(error instanceof Refusal)) {
        const message = 'delivery refused with 503: Redis does not store it';
        return warnOnce(message, '', { uuid, requestId, error: error.cause });
      }
      const warning = WARNINGS[error.reason];
      if (warning === undefined) return;
      // There may be any number of unknown hooks: they are no subject.
      const subject = error.reason === 'unauthentic' ? hook : '';
      const named = error.isOfStranger && isTaskUuid(hook) ? { hook } : {};
      warnOnce(warning, subject, { ...named, address, requestId });
    },
  };
}

/**
 * Warnings that strangers can cause in any number: one line a minute for each message and subject,
 * with the number of lines left out since the last one.
 */
export function createWarnOnce(logger: Logger) {
  const logged = new LRUCache<string, { until: number; leftOut: number }>(maxEntries(MAX_SUBJECTS));

  /**
   * @param message static
   * @param subject a hook or the like; never what a stranger can make up
   * @param fields nothing of a body or a header
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
    logger.warn({ ...fields, leftOut: last?.leftOut ?? 0 }, message);
  };
}
