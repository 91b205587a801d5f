import type { DestinationStream } from 'pino';

const WARN = 40;

/**
 * What pino sets on its destination before each line (https://getpino.io/#/docs/api?id=metadata).
 */
interface Metadata {
  lastLevel?: number;
}

/**
 * A destination that writes the lines of one turn of the event loop together: a write is a call of
 * the kernel, and takes longer than making a line. A warning or an error is written at once, with
 * the lines before it; so is everything when the process exits. Only a process that is killed loses
 * lines, those of the turn in which that happens.
 */
export function writeByTurn(write: (text: string) => void): DestinationStream {
  let held = '';
  const flush = (): void => {
    if (held === '') return;
    const text = held;
    held = '';
    write(text);
  };
  process.on('exit', flush);
  const destination: DestinationStream & Metadata & { flushSync: () => void } = {
    write(line) {
      if (held === '') setImmediate(flush);
      held += line;
      if ((destination.lastLevel ?? WARN) >= WARN) flush();
    },
    flushSync: flush,
  };
  return Object.assign(destination, { [Symbol.for('pino.metadata')]: true });
}
