import { constants, openSync, writeSync } from 'node:fs';

/** The bytes that are buffered for a stalled reader: minutes of a busy service at level info. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** How often a reader that stalls is looked for. */
const RETRY_MS = 50;
/** How long the end of a process waits for its reader. */
const EXIT_MS = 1_000;
const EXIT_RETRY_MS = 10;

export interface WriteWithoutWaitingDeps {
  /**
   * Writes at once as much as possible. @returns the bytes taken; 0 when the reader stalls
   * @throws Error when the reader is gone
   */
  write: (bytes: Buffer) => number;
  /** The line in place of those that were dropped. */
  droppedLine: (dropped: number) => string;
  maxHeldBytes?: number;
  /** Called when the reader is gone for good. */
  closed?: () => void;
}

/**
 * Writes lines without waiting for the reader: a stalled reader must not stop a service. Beyond
 * some MiB lines are dropped; a line reports how many. At the end of the process it waits for a
 * second.
 */
export function writeWithoutWaiting(deps: WriteWithoutWaitingDeps): (lines: string) => void {
  const { write, droppedLine, maxHeldBytes = MAX_HELD_BYTES } = deps;
  /** In their order; of the first a part may be written. */
  let held: Buffer[] = [];
  let heldBytes = 0;
  let dropped = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  /** @returns whether everything is written */
  function flush(): boolean {
    try {
      for (let bytes = held[0]; bytes !== undefined; bytes = held[0]) {
        const taken = write(bytes);
        heldBytes -= taken;
        if (taken < bytes.length) {
          held[0] = bytes.subarray(taken);
          return false;
        }
        held.shift();
        if (held.length === 0 && dropped > 0) {
          hold(Buffer.from(droppedLine(dropped)));
          dropped = 0;
        }
      }
    } catch {
      // The reader is gone for good: the service goes on.
      isClosed = true;
      held = [];
      heldBytes = 0;
      deps.closed?.();
    }
    return true;
  }

  function hold(bytes: Buffer): void {
    held.push(bytes);
    heldBytes += bytes.length;
  }

  function retry(): void {
    timer = undefined;
    const before = heldBytes;
    if (flush()) return;
    // Who reads is given more at once; who stalls is looked for now and then.
    timer = setTimeout(retry, heldBytes < before ? 1 : RETRY_MS).unref();
  }

  /** What comes while the process ends has no later. */
  let isEnding = false;
  let endsAt = Infinity;
  function flushToEnd(): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (!flush() && performance.now() < endsAt) Atomics.wait(pause, 0, 0, EXIT_RETRY_MS);
  }
  process.on('exit', () => {
    isEnding = true;
    endsAt = performance.now() + EXIT_MS;
    flushToEnd();
  });

  return (lines) => {
    if (isClosed) return;
    const bytes = Buffer.from(lines);
    if (heldBytes + bytes.length > maxHeldBytes) {
      dropped += lines.split('\n').length - 1;
      return;
    }
    hold(bytes);
    if (isEnding) flushToEnd();
    else if (timer === undefined) retry();
  };
}

/** The reader is gone, not slow; EIO comes from a terminal that was closed. */
const GONE: readonly unknown[] = ['EPIPE', 'EBADF'];
const GONE_TERMINAL: readonly unknown[] = [...GONE, 'EIO'];

/** Writes to a standard stream what it takes at once, see {@link WriteWithoutWaitingDeps}. */
export function writerTo({
  fd,
  isTTY,
}: Pick<NodeJS.WriteStream & { fd: number }, 'fd' | 'isTTY'>): (bytes: Buffer) => number {
  const to = isTTY ? openWithoutWaiting(fd) : fd;
  const gone = isTTY ? GONE_TERMINAL : GONE;
  return (bytes) => {
    try {
      return writeSync(to, bytes);
    } catch (error) {
      if (gone.includes((error as NodeJS.ErrnoException).code)) throw error;
      // It stalls, or its disk is full: both may end.
      return 0;
    }
  };
}

/**
 * Opens the terminal of a descriptor once more, with `O_NONBLOCK`: a write to a terminal that
 * nobody reads, or that Ctrl-S stopped, would wait in the kernel. On `fd` itself the flag would
 * hold for the shell too.
 * @returns a descriptor; `fd` where its terminal cannot be opened
 */
function openWithoutWaiting(fd: number): number {
  const { O_WRONLY, O_NOCTTY, O_NONBLOCK } = constants;
  // Linux knows what a descriptor leads to; after `su` only the second may be opened.
  for (const path of [`/proc/self/fd/${fd}`, '/dev/tty']) {
    try {
      return openSync(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    } catch {
      // The next one.
    }
  }
  return fd;
}
