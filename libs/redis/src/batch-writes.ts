import type { Redis } from 'ioredis';

/**
 * Sends commands that are given in one turn of the event loop by one write instead of one each: a write is a call of
 * the kernel, and costs more than most commands. Nothing waits for it longer than that turn, and order, errors and
 * deadlines of commands stay as they are: only the socket holds the bytes together.
 */
export function batchWrites(connection: Redis): void {
  connection.on('connect', () => {
    const { stream } = connection;
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    let isCorked = false;
    stream.write = (...args: unknown[]): boolean => {
      if (!isCorked) {
        isCorked = true;
        stream.cork();
        setImmediate(() => {
          isCorked = false;
          stream.uncork();
        });
      }
      return write(...args);
    };
  });
}
