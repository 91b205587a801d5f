import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConsumeMessage, type Options } from 'amqplib';
import { prepareQueue } from './prepare-queue';
import type { RabbitmqSettings } from './rabbitmq-settings';

export type MessageResult =
  /** Its execution is in Redis: the broker may forget it. */
  | 'stored'
  /** The hook takes no messages any more: it stays in the queue. */
  | 'returned'
  /** It can never be stored. The broker drops it, or moves it to the dead-letter exchange. */
  | 'rejected';

export interface QueueMessage {
  content: Buffer;
  /** Empty when the sender gave none. */
  messageId: string;
}

export interface ConsumeQueueOptions {
  broker: Options.Connect;
  /** Resolves and checks the name of the broker. */
  lookup: LookupFunction;
  settings: RabbitmqSettings;
  /** Processes one message, which the broker keeps until then. Never rejects. */
  take: (message: QueueMessage) => Promise<MessageResult>;
  /** @param notBound why the queue is not bound to the exchange; undefined when it is */
  consuming: (notBound: string | undefined) => void;
  /** Messages that are being taken are finished, the rest goes back to the queue. */
  signal: AbortSignal;
}

/** Messages without an acknowledgement. Bounds the memory. */
const PREFETCH = 20;
const CONNECT_TIMEOUT_MS = 10_000;
/** For each of the two steps of the end. A frozen broker finds out by the heartbeat. */
const CLOSE_MS = 2_000;
/** Bounds the memory of a frame; larger messages come in several. */
const MAX_FRAME = 4 * 1024 * 1024;

/**
 * Consumes a queue over one connection until `signal` is aborted. Creates a missing exchange or
 * queue.
 *
 * @throws Error when the connection cannot be made or is lost, or the broker refuses the queue
 */
export async function consumeQueue(options: ConsumeQueueOptions): Promise<void> {
  const { settings, signal } = options;
  signal.throwIfAborted();
  const connection = await connect(
    { ...options.broker, maxFrameSize: MAX_FRAME },
    {
      timeout: CONNECT_TIMEOUT_MS,
      lookup: options.lookup,
      keepAlive: true,
      noDelay: true,
      clientProperties: { connection_name: 'cds hooks' },
    },
  );
  const underWay = new Set<Promise<void>>();
  let lost: ((error: Error) => void) | undefined;
  const ended = new Promise<never>((_resolve, reject) => (lost = reject));
  // A loss after the end is no unhandled rejection.
  ended.catch(() => undefined);
  connection.on('error', (error) => lost?.(error));
  connection.on('close', () => lost?.(new Error('the broker closed the connection')));
  try {
    const notBound = await prepareQueue(connection, settings);
    const channel = await connection.createChannel();
    channel.on('error', (error) => lost?.(error));
    channel.on('close', () => lost?.(new Error('the broker closed the channel')));
    await channel.prefetch(PREFETCH);

    const decide = async (message: ConsumeMessage): Promise<void> => {
      const result = await options.take({
        content: message.content,
        messageId: textOf(message.properties.messageId),
      });
      try {
        if (result === 'stored') channel.ack(message);
        else channel.nack(message, false, result === 'returned');
      } catch {
        // The channel is closed: the broker delivers the message again.
      }
    };
    // One after the other, so that executions keep the order of the queue.
    let last: Promise<void> = Promise.resolve();
    const { consumerTag } = await channel.consume(
      settings.queue,
      (message) => {
        if (!message) return lost?.(new Error('the broker cancelled the consumer'));
        if (signal.aborted) return;
        const decided = last.then(() => (signal.aborted ? undefined : decide(message)));
        last = decided;
        underWay.add(decided);
        void decided.finally(() => underWay.delete(decided));
      },
      settings.consumerTag === '' ? {} : { consumerTag: settings.consumerTag },
    );
    options.consuming(notBound);
    const left = new AbortController();
    const aborted =
      signal.aborted || once(signal, 'abort', { signal: left.signal }).catch(() => undefined);
    await Promise.race([ended, aborted]).finally(() => left.abort());
    const endChannel = async (): Promise<void> => {
      await channel.cancel(consumerTag);
      await Promise.all(underWay);
      await channel.close();
    };
    // A connection that breaks now returns the rest as well.
    const closed = endChannel().catch(() => undefined);
    await Promise.race([closed, ended, sleep(CLOSE_MS, undefined, { ref: false })]);
  } finally {
    const closed = connection.close().catch(() => undefined);
    await Promise.race([closed, sleep(CLOSE_MS, undefined, { ref: false })]);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
