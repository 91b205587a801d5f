import type { LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConsumeMessage, type Options } from 'amqplib';
import { prepareQueue } from './prepare-queue';
import type { RabbitmqSettings } from './rabbitmq-settings';

/** What is to become of a message. */
export type MessageFate =
  /** Its execution is in Redis: the broker may forget it. */
  | 'stored'
  /** The hook does not take it any more: for others that consume the queue. */
  | 'returned'
  /** It can never be kept. The broker drops it, or hands it to the queue's dead-letter exchange. */
  | 'rejected';

/** A message as far as anybody looks at it. */
export interface QueueMessage {
  content: Buffer;
  /** Empty when its sender gave none. */
  messageId: string;
}

export interface ConsumeQueueOptions {
  broker: Options.Connect;
  /** Resolves the name of the broker for the connection itself. */
  lookup: LookupFunction;
  settings: RabbitmqSettings;
  /** Decides about one message; the broker keeps it until then. Never rejects. */
  take: (message: QueueMessage) => Promise<MessageFate>;
  /**
   * Told when messages can come, and why the queue is not bound to the exchange where it is not.
   */
  consuming: (notBound: string | undefined) => void;
  /** Ends it: what is being taken is finished, the rest goes back to the queue. */
  signal: AbortSignal;
}

/** Messages that the broker hands over before they are acknowledged: what bounds the memory. */
const PREFETCH = 20;
const CONNECT_TIMEOUT_MS = 10_000;
/** For each of the last two words to a broker that may be frozen; what it was not told it finds out by the heartbeat. */
const GOODBYE_MS = 2_000;
/** The largest message that a broker takes is far larger; an execution is kept in Redis. */
const MAX_FRAME = 4 * 1024 * 1024;

/**
 * Consumes a queue over one connection until `signal` is aborted. Exchange and queue are made where
 * they are missing.
 *
 * @throws Error when the connection cannot be made or is lost, or the broker refuses the queue
 */
export async function consumeQueue(options: ConsumeQueueOptions): Promise<void> {
  const { settings, signal } = options;
  signal.throwIfAborted();
  const connection = await connect(
    { ...options.broker, maxFrameSize: MAX_FRAME } as Options.Connect,
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
  // Whoever waits for it hears of it; a loss while nobody waits is none of anybody's business.
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
      const fate = await options.take({
        content: message.content,
        messageId: textOf(message.properties.messageId),
      });
      try {
        if (fate === 'stored') channel.ack(message);
        else channel.nack(message, false, fate === 'returned');
      } catch {
        // The channel is gone: the broker hands the message out again.
      }
    };
    // One after the other: the executions of a hook keep the order of its queue.
    let line: Promise<void> = Promise.resolve();
    const { consumerTag } = await channel.consume(
      settings.queue,
      (message) => {
        if (!message) return lost?.(new Error('the broker cancelled the consumer'));
        if (signal.aborted) return;
        const decided = line.then(() => (signal.aborted ? undefined : decide(message)));
        line = decided;
        underWay.add(decided);
        void decided.finally(() => underWay.delete(decided));
      },
      settings.consumerTag === '' ? {} : { consumerTag: settings.consumerTag },
    );
    options.consuming(notBound);
    const stopListening = new AbortController();
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), {
        once: true,
        signal: stopListening.signal,
      });
    });
    await Promise.race([ended, aborted]).finally(() => stopListening.abort());
    const goodbye = async (): Promise<void> => {
      await channel.cancel(consumerTag);
      await Promise.all(underWay);
      await channel.close();
    };
    // A connection that breaks now hands the rest back as well.
    const gone = goodbye().catch(() => undefined);
    await Promise.race([gone, ended, sleep(GOODBYE_MS, undefined, { ref: false })]);
  } finally {
    const closed = connection.close().catch(() => undefined);
    await Promise.race([closed, sleep(GOODBYE_MS, undefined, { ref: false })]);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
