import type { Redis } from 'ioredis';

export interface WorkerConnection {
  connection: Redis;
  /** Ends it and the copies that BullMQ made of it, whatever state they are in. */
  disconnect(): void;
}

/**
 * A connection for BullMQ's workers that can be ended for certain. Each worker makes a copy to wait for jobs on, and
 * closing the worker waits for ever when Redis is away; a copy that goes on connecting keeps the process alive.
 */
export function createWorkerConnection(connection: Redis): WorkerConnection {
  const all = [connection];
  const duplicate = connection.duplicate.bind(connection);
  connection.duplicate = (override) => {
    const copy = duplicate(override);
    all.push(copy);
    return copy;
  };
  return {
    connection,
    disconnect() {
      // Ending what has ended would only start a timer.
      for (const one of all) if (one.status !== 'end') one.disconnect();
    },
  };
}
