import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits';
import type { WarnOfFlood } from './flood-log';

/** The pause between two counts of unfinished headers; Node does not report single ones. */
const HEADER_CHECK_MS = 100;

/**
 * Holds the headers that are not whole to their limit: who waited longest is cut first.
 *
 * @param o.maxHeaderBytes the longest headers that the server takes
 * @param o.waiting how many connections have no request
 * @param o.longestFirst those connections, by how long they wait
 * @param o.bytesOf what came over one since its last request
 */
export function limitHeaders(o: {
  limits: Pick<ConnectionLimits, 'headerBytes'>;
  maxHeaderBytes: number;
  warnOfFlood: WarnOfFlood;
  cut: (socket: Socket) => void;
  waiting: () => number;
  longestFirst: () => Socket[];
  bytesOf: (socket: Socket) => number;
}) {
  const { headerBytes } = o.limits;
  let timer: NodeJS.Timeout | undefined;

  function couldBeTooMuch(): boolean {
    return o.waiting() * o.maxHeaderBytes > headerBytes;
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  function check(): void {
    if (!couldBeTooMuch()) return stop();
    const unfinished = o
      .longestFirst()
      .map((socket) => ({ socket, bytes: o.bytesOf(socket) }))
      .filter(({ bytes }) => bytes > 0);
    let total = unfinished.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { socket, bytes } of unfinished) {
      if (total <= headerBytes) return;
      total -= bytes;
      o.warnOfFlood('headers', headerBytes);
      o.cut(socket);
    }
  }

  return {
    check,
    /** Checks from now on, until there cannot be too much any more. */
    watch(): void {
      if (timer || !couldBeTooMuch()) return;
      timer = setInterval(check, HEADER_CHECK_MS).unref();
    },
    stop,
  };
}
