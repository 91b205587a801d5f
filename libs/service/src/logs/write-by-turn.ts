import type { DestinationStream } from 'pino';

const WARN = 40;

/** Set by pino before each line: https://getpino.io/#/docs/api?id=metadata */
interface Metadata {
  lastLevel?: number;
}

/**
 * Writes the lines of one turn of the event loop together: a call of the kernel takes longer than
 * making a line. A warning, an error and the exit write at once. Only a process that is killed
 * loses lines, those of its last turn.
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
