import type { Redis } from 'ioredis';

/**
 * Commands that leave by one write. Redis begins with them while the next ones are still being
 * made: where a whole turn was held back, it and this process waited for each other in turn, and a
 * fifth of both cores was idle under load.
 */
const MAX_TOGETHER = 4;

/**
 * Sends commands that are given in one turn of the event loop by few writes instead of one each: a
 * write is a call of the kernel, and costs more than most commands. Nothing waits for it longer
 * than that turn, and order, errors and deadlines of commands stay as they are: only the socket
 * holds the bytes together.
 */
export function batchWrites(connection: Redis): void {
  connection.on('connect', () => {
    const { stream } = connection;
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    let held = 0;
    const send = (): void => {
      held = 0;
      stream.uncork();
    };
    let isTurnOver = true;
    stream.write = (...args: unknown[]): boolean => {
      if (isTurnOver) {
        isTurnOver = false;
        setImmediate(() => {
          isTurnOver = true;
          if (held > 0) send();
        });
      }
      if (held === 0) stream.cork();
      held++;
      const isTaken = write(...args);
      if (held === MAX_TOGETHER) send();
      return isTaken;
    };
  });
}
