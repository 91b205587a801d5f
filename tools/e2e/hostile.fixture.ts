import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { waitFor, takesTime, provesNothingHappensFor } from '@cds/testing';

export const MIB = 1024 * 1024;

/** Resident memory of a process in MiB, now and at its highest (Linux). */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

/** The highest of {@link memoryOf} begins anew (Linux). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** A connection that does as it is told, without any manners of HTTP. */
export interface RawConnection {
  socket: Socket;
  /** Resolves when it was taken, or the other side has closed. */
  write(bytes: string | Buffer): Promise<void>;
  /** All that came back so far. */
  received(): string;
  /** Resolves with all that came back once the other side has closed. */
  closed: Promise<string>;
}

export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => (received += text));
  // Whoever misbehaves is cut off.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed]);
  return {
    socket,
    async write(bytes) {
      if (!socket.writable || socket.write(bytes)) return;
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
    },
    received: () => received,
    closed,
  };
}

/**
 * Sends bytes and waits for the connection to be closed, or for a second after the first that came
 * back.
 */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<string> {
  const raw = await openRaw(url);
  void raw.write(bytes);
  const answered = waitFor(() => raw.received() !== '' || raw.socket.closed, {
    what: 'an answer',
  });
  await Promise.race([raw.closed, answered.then(() => provesNothingHappensFor(1_000))]);
  raw.socket.destroy();
  return raw.received();
}

/** The status codes of all answers in what came back. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Over a connection of its own: one that is kept may be closed at the moment of its next use. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    });
    request.once('error', reject);
  });
}

/** Asks for something small again and again, as others do while somebody does his worst. */
export function watchOthers(url: string): {
  /** How often it was answered so far. */
  served(): number;
  /** Resolves when it was answered some more times. */
  areServed(): Promise<void>;
  /** @throws Error when an answer was not as it should be */
  stop(): Promise<void>;
} {
  let stopped = false;
  let count = 0;
  const watching = (async () => {
    while (!stopped) {
      if ((await statusOf(url)) !== 200) throw new Error(`${url} was not answered as it should be`);
      count += 1;
      await takesTime(20);
    }
  })();
  watching.catch(() => undefined);
  return {
    served: () => count,
    async areServed() {
      const before = count;
      await Promise.race([
        watching,
        waitFor(() => count > before + 3, { what: `${url} to be answered` }),
      ]);
    },
    async stop() {
      stopped = true;
      await watching;
    },
  };
}

/** Milliseconds that a process has had a processor, all in all (Linux; in steps of 10 ms). */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

export function fill(text: string, characters = MIB): string {
  return text.repeat(Math.floor(characters / text.length));
}

/** How many files a process may open here (Linux); Node raises its own bound to that. */
export function maxOpenFiles(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? 1_024);
}
