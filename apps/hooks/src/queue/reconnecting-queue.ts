import { jobPrefix } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** A Redis that fails at once is not asked again at once. */
const REOPEN_MS = 200;

/** Where the jobs of this service are. */
export interface QueueRedis {
  /** Without a key prefix of its own: BullMQ refuses one. */
  redis: Redis;
  /** Put before the keys of all jobs; none when not given. */
  keyPrefix?: string;
}

export interface ReconnectingQueue<Data> {
  /** The queue to use now; not to be kept. */
  readonly queue: Queue<Data>;
  close(): Promise<void>;
}

/**
 * A BullMQ queue that is usable again whenever Redis is.
 *
 * Each queue asks Redis for its version before anything else. Where Redis goes away at that moment, while the service
 * starts, the queue refuses everything ever after, though the connection has long come back: so it is replaced.
 */
export function createReconnectingQueue<Data>(
  name: string,
  deps: QueueRedis & { logger: Logger },
): ReconnectingQueue<Data> {
  const { redis, logger, keyPrefix = '' } = deps;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function open(): Queue<Data> {
    const prefix = jobPrefix(keyPrefix);
    const opened = new Queue<Data>(name, { connection: redis, prefix });
    opened.on('error', (error) => logger.debug({ error, queue: name }, 'queue'));
    opened.waitUntilReady().catch((error: unknown) => {
      if (closed) return;
      logger.debug({ error, queue: name }, 'a queue could not be opened');
      timer = setTimeout(() => {
        queue = open();
        // Lets go of the connection; that it never was ready is known.
        opened.close().catch(() => undefined);
      }, REOPEN_MS).unref();
    });
    return opened;
  }

  let queue = open();
  return {
    get queue() {
      return queue;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await queue.close();
    },
  };
}
