import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@cds/service';
import {
  type Clock,
  NEW_STATE,
  timestampOfMs,
  type DeliveryStore,
  type Acceptance,
} from '@cds/hooks-store';
import { answeredByRedis } from '@cds/redis';
import type { MessageFate, QueueMessage } from './consume-queue';

/** What a webhook may bring, and more than any message should. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const REDIS_AWAY_PAUSE_MS = 500;
/** Else a message that nobody takes would circle between broker and service. */
const NOT_TAKEN_PAUSE_MS = 2_000;

const DUPLICATE =
  'duplicate: a message with the same id and content was accepted before, see the execution {first}';

export interface StoreMessageDeps {
  store: Pick<DeliveryStore, 'accept'>;
  /** Told of the hook for which something is in Redis now. */
  workArrived: (uuid: string, waiting: number) => void;
  /** Told of a hook that does not take messages any more. */
  notTaken: (uuid: string) => Promise<void>;
  count: (result: MessageFate | 'duplicate') => void;
  logger: Logger;
  now: Clock;
}

export type StoreMessage = (
  uuid: string,
  message: QueueMessage,
  signal: AbortSignal,
) => Promise<MessageFate>;

/**
 * Keeps a message as an execution of its hook; until that is in Redis it stays with the broker, however long Redis is
 * away. A message that the broker hands out again, since its acknowledgement was lost, is known by its id and content where
 * its sender gave it an id; one without an id then leads to a second run.
 */
export function createStoreMessage(deps: StoreMessageDeps): StoreMessage {
  const { store, logger, now } = deps;

  function accept(
    uuid: string,
    { content }: QueueMessage,
    { identity, requestId }: { identity: string; requestId: string },
  ): Promise<Acceptance> {
    const acceptedAt = now();
    const processed = timestampOfMs(acceptedAt);
    const done = { ...NEW_STATE, status: 'DONE' as const, processing_timestamp: processed };
    return answeredByRedis(() =>
      store.accept({
        uuid,
        method: '',
        validatedFor: 'RabbitMQ',
        validation: 'accept',
        signature: 'not-needed',
        requestUuid: identity,
        acceptedAt,
        requestId,
        received: { rabbitmq: { message: content.toString('base64') } },
        ignored: done,
        duplicate: { ...done, last_error: DUPLICATE },
      }),
    );
  }

  return async function storeMessage(uuid, message, signal) {
    const { length } = message.content;
    if (length > MAX_MESSAGE_BYTES) {
      logger.error(
        { hook: uuid, bytes: length, most: MAX_MESSAGE_BYTES },
        'a message is too large to be kept and starts no run: the broker has it in the dead-letter exchange of the queue, if there is one',
      );
      deps.count('rejected');
      return 'rejected';
    }
    // The same for every try: one that timed out may have been kept all the same.
    const names = { identity: identityOf(message), requestId: randomUUID() };
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        const acceptance = await accept(uuid, message, names);
        if (acceptance.kind === 'accepted' || acceptance.kind === 'duplicate') {
          if (acceptance.kind === 'accepted') deps.workArrived(uuid, acceptance.waiting);
          deps.count(acceptance.kind === 'accepted' ? 'stored' : 'duplicate');
          return 'stored';
        }
        break;
      } catch (error) {
        const level = tries === 0 ? 'warn' : 'debug';
        logger[level](
          { requestId: names.requestId, hook: uuid, error },
          'a message waits at the broker: Redis does not take it',
        );
        await sleep(REDIS_AWAY_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    if (!signal.aborted) {
      logger.warn(
        { requestId: names.requestId, hook: uuid },
        'a message goes back to its queue: its hook is gone, or of another kind',
      );
      await deps.notTaken(uuid).catch(() => undefined);
      await sleep(NOT_TAKEN_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    deps.count('returned');
    return 'returned';
  };
}

function identityOf({ messageId, content }: QueueMessage): string {
  if (messageId === '') return randomUUID();
  return createHash('sha256').update(JSON.stringify(messageId)).update(content).digest('hex');
}
