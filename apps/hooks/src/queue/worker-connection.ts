import type { Redis } from 'ioredis';

/**
 * A connection for BullMQ's workers that can be ended at any time. Each worker duplicates it to
 * wait for jobs; closing a worker waits for ever when Redis is away, and a duplicate that
 * reconnects prevents the process from ending.
 */
export function createWorkerConnection(connection: Redis) {
  const all = [connection];
  const duplicate = connection.duplicate.bind(connection);
  connection.duplicate = (override) => {
    const copy = duplicate(override);
    all.push(copy);
    return copy;
  };
  return {
    connection,
    /** Ends it and its duplicates in whatever state. */
    disconnect(): void {
      // A further `disconnect` would only start a timer.
      for (const one of all) if (one.status !== 'end') one.disconnect();
    },
  };
}
