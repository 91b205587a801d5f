import { Writable } from 'node:stream';
import { writerTo, writeWithoutWaiting } from '@cds/service/child-processes';
import { logLine } from './supervision-event';

/** A standard stream that many write to. */
export interface Output {
  stream: Writable;
  isTerminal: boolean;
}

/**
 * Opens a standard stream that never waits for its reader: a reader that stalls would keep signals
 * from the children. Beyond some MiB lines are dropped.
 * @param closed called when the reader is gone for good
 */
export function openOutput(to: NodeJS.WriteStream & { fd: number }, closed: () => void): Output {
  const isTerminal = to.isTTY;
  const write = writeWithoutWaiting({
    write: writerTo(to),
    droppedLine: (dropped) =>
      isTerminal
        ? `${dropped} lines dropped: nobody read them\n`
        : logLine({ dropped, msg: 'log lines dropped: nobody read them' }),
    closed,
  });
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      write(chunk.toString());
      done();
    },
  });
  return { stream, isTerminal };
}
