import type { Socket } from 'node:net';

/**
 * Node reads up to 64 KiB of each of thousands of connections in one turn of its event loop, and
 * frees what it keeps of them at the end of a turn. What is counted by time comes too late.
 */
const MAX_UNCHECKED_BYTES = 4 * 1024 * 1024;
/** What Node reads of a connection at once: so many connections bring the bytes above. */
const READ_BYTES = 64 * 1024;

/** Node's HTTP server calls it for each piece that it reads, and emits no event. */
interface ReadSocket extends Socket {
  _unrefTimer(): void;
}

/**
 * Reads no more than so many bytes before `check` sees what came: then connections without a
 * request are not read, at first none, and some more in each turn. The kernel holds back their
 * senders.
 * @param options.withoutRequest whose next bytes nobody has asked for
 * @param options.check cuts those that hold too much
 * @returns counts what is read of a new connection
 */
export function limitReads(options: { withoutRequest: () => Iterable<Socket>; check: () => void }) {
  const { withoutRequest, check } = options;
  const paused = new Set<Socket>();
  let unchecked = 0;
  /** Whether what was cut is not freed yet. */
  let isFreeing = false;

  function pause(): void {
    isFreeing = true;
    check();
    for (const socket of withoutRequest()) {
      if (!paused.has(socket)) paused.add(socket.pause());
    }
    // Connections that were cut are closed after the first of these, their parsers before the next.
    setImmediate(() =>
      setImmediate(() => {
        unchecked = 0;
        isFreeing = false;
        resumeSome();
      }),
    );
  }

  function resumeSome(): void {
    if (isFreeing) return;
    let left = MAX_UNCHECKED_BYTES / READ_BYTES;
    for (const socket of paused) {
      paused.delete(socket);
      if (socket.destroyed) continue;
      socket.resume();
      left -= 1;
      if (left > 0) continue;
      setImmediate(resumeSome);
      return;
    }
  }

  return function countReads(socket: Socket): void {
    const read = socket as ReadSocket;
    const unrefTimer = read._unrefTimer;
    let seen = 0;
    read._unrefTimer = function countBytes() {
      unrefTimer.call(read);
      unchecked += read.bytesRead - seen;
      seen = read.bytesRead;
      if (unchecked > MAX_UNCHECKED_BYTES && !isFreeing) pause();
    };
  };
}
