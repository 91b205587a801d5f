import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Acceptance, NEW_STATE, timestampOfMs } from '@cds/hooks-store';
import { answeredByRedis } from '@cds/redis';
import type { Resources } from '../../resources';
import type { MessageResult, QueueMessage } from './consume-queue';

/** As for the body of a delivery. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const REDIS_OUTAGE_PAUSE_MS = 500;
/** A returned message comes again at once where nobody else consumes the queue. */
const NOT_TAKEN_PAUSE_MS = 2_000;

const DUPLICATE =
  'duplicate: a message with the same id and content was accepted before, ' +
  'see the execution {first}';

/**
 * Stores a message as an execution of its hook. It stays with the broker until Redis has it. A
 * message that comes again, since its acknowledgement was lost, is a duplicate by its id and
 * content. Without an id it starts a second run.
 */
export function createStoreMessage(
  { stores, queues, logger, now }: Pick<Resources, 'stores' | 'queues' | 'logger' | 'now'>,
  on: {
    /** Called for a hook that takes no messages any more. */
    notTaken: (uuid: string) => Promise<void>;
    count: (result: MessageResult | 'duplicate') => void;
  },
) {
  function accept(
    uuid: string,
    { content }: QueueMessage,
    { identity, requestId }: { identity: string; requestId: string },
  ): Promise<Acceptance> {
    const acceptedAt = now();
    const processed = timestampOfMs(acceptedAt);
    const done = { ...NEW_STATE, status: 'DONE' as const, processing_timestamp: processed };
    return answeredByRedis(() =>
      stores.deliveries.accept({
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

  return async function storeMessage(
    uuid: string,
    message: QueueMessage,
    signal: AbortSignal,
  ): Promise<MessageResult> {
    const { length } = message.content;
    if (length > MAX_MESSAGE_BYTES) {
      logger.error(
        { hook: uuid, bytes: length, most: MAX_MESSAGE_BYTES },
        'message is too large and starts no run: ' +
          'the broker moves it to the dead-letter exchange of the queue, if there is one',
      );
      on.count('rejected');
      return 'rejected';
    }
    // The same for every try: one that timed out may have been stored.
    const names = { identity: identityOf(message), requestId: randomUUID() };
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        const acceptance = await accept(uuid, message, names);
        if (acceptance.kind === 'accepted' || acceptance.kind === 'duplicate') {
          if (acceptance.kind === 'accepted') queues.arrived(uuid, acceptance.waiting);
          on.count(acceptance.kind === 'accepted' ? 'stored' : 'duplicate');
          return 'stored';
        }
        break;
      } catch (error) {
        const level = tries === 0 ? 'warn' : 'debug';
        logger[level](
          { requestId: names.requestId, hook: uuid, error },
          'message waits at the broker: Redis does not store it',
        );
        await sleep(REDIS_OUTAGE_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    if (!signal.aborted) {
      logger.warn(
        { requestId: names.requestId, hook: uuid },
        'message returned to its queue: the hook was removed, or has another type',
      );
      await on.notTaken(uuid).catch(() => undefined);
      await sleep(NOT_TAKEN_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    on.count('returned');
    return 'returned';
  };
}

function identityOf({ messageId, content }: QueueMessage): string {
  if (messageId === '') return randomUUID();
  return createHash('sha256').update(JSON.stringify(messageId)).update(content).digest('hex');
}
