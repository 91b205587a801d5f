import type { IncomingMessage } from 'node:http';
import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import { isTaskUuid } from '@cds/hooks-store';
import type { CdsError } from '@cds/wire';
import type { Resources } from '../resources';
import { Refusal, type RefusalReason, type Sender } from './refusal';
import { requestUuidOf } from './store-delivery';
import { WEBHOOK_METHODS } from './webhook-router';

/** Refusals of one hook that this process stores in a minute; further ones are counted. */
export const STORED_PER_MINUTE = 5;
const WINDOW_MS = 60_000;
const MAX_HOOKS = 1_000;

/** Reasons without a hook. Strangers cause the first in any number. */
const NOT_STORED: readonly RefusalReason[] = ['unknown', 'not_known_yet'];

/**
 * Stores refused deliveries for `engine hooks why`, in the background: no sender waits for it, and
 * no accepted delivery costs anything.
 *
 * @param whyNone why nothing may be written; undefined where it may
 */
export function createRefusalRecords(
  { stores, logger, now }: Pick<Resources, 'stores' | 'logger' | 'now'>,
  whyNone: () => string | undefined,
) {
  const counts = new LRUCache<string, { stored: number; leftOut: number; until: number }>({
    ...maxEntries(MAX_HOOKS),
  });

  /** @returns how many were left out since the last stored one; undefined for another such */
  function leftOutBefore(uuid: string): number | undefined {
    const clock = performance.now();
    const count = counts.get(uuid);
    if (!count || clock >= count.until) {
      counts.set(uuid, { stored: 1, leftOut: 0, until: clock + WINDOW_MS });
      return count?.leftOut ?? 0;
    }
    if (count.stored >= STORED_PER_MINUTE) {
      count.leftOut++;
      return undefined;
    }
    count.stored++;
    return 0;
  }

  /** Never throws. @param error why the delivery was refused */
  return function record(error: CdsError, sender: Sender, request: IncomingMessage): void {
    const { uuid, address, requestId } = sender;
    const { method = '', headers } = request;
    if (!(error instanceof Refusal) || NOT_STORED.includes(error.reason)) return;
    // No hook was looked up for these.
    if (!isTaskUuid(uuid) || !WEBHOOK_METHODS.includes(method)) return;
    if (whyNone() !== undefined) return;
    const leftOut = leftOutBefore(uuid);
    if (leftOut === undefined) return;
    const refusal = {
      ...{ at: now(), request_id: requestId, request_uuid: requestUuidOf(headers) },
      ...{ event: String(headers['x-event-key'] ?? '').slice(0, 100), address },
      ...{ reason: error.reason, status: error.status, left_out: leftOut },
      error: error.message.slice(0, 300),
    };
    stores.refusals.add(uuid, refusal).catch((failure: unknown) => {
      logger.debug({ error: failure, hook: uuid }, 'failed to store a refused delivery');
    });
  };
}
