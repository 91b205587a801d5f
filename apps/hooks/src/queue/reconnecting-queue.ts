import { jobPrefix } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

const REOPEN_MS = 200;

export interface QueueRedis {
  /** Without a key prefix of its own: BullMQ refuses one. */
  redis: Redis;
  keyPrefix?: string;
}

/**
 * A BullMQ queue that is usable whenever Redis is.
 *
 * Each queue first asks Redis for its version. If Redis goes away at that moment, the queue refuses
 * every call from then on, even after the connection is back: so it is replaced.
 */
export function createReconnectingQueue<Data>(name: string, deps: QueueRedis & { logger: Logger }) {
  const { redis, logger, keyPrefix = '' } = deps;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function open(): Queue<Data> {
    const prefix = jobPrefix(keyPrefix);
    const opened = new Queue<Data>(name, { connection: redis, prefix });
    opened.on('error', (error) => logger.debug({ error, queue: name }, 'queue'));
    opened.waitUntilReady().catch((error: unknown) => {
      if (closed) return;
      logger.debug({ error, queue: name }, 'failed to open a queue');
      timer = setTimeout(() => {
        queue = open();
        // It rejects, since the queue never was ready.
        opened.close().catch(() => undefined);
      }, REOPEN_MS).unref();
    });
    return opened;
  }

  let queue = open();
  return {
    /** Read it for every call: it may be replaced. */
    get queue() {
      return queue;
    },
    close: async (): Promise<void> => {
      closed = true;
      clearTimeout(timer);
      await queue.close();
    },
  };
}
