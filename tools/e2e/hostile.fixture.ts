import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export const MIB = 1024 * 1024;

/** Resident memory of a process in MiB, now and at its highest (Linux). */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { now: field('VmRSS'), peak: field('VmHWM') };
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

/** Sends bytes and waits for the connection to be closed, or for so long. */
export async function sendRaw(url: string, bytes: string | Buffer, ms = 5_000): Promise<string> {
  const raw = await openRaw(url);
  void raw.write(bytes);
  await Promise.race([raw.closed, sleep(ms)]);
  raw.socket.destroy();
  return raw.received();
}

/** The status codes of all answers in what came back. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Asks for something small again and again; tells how long the slowest answer took. */
export function watchLatency(url: string): {
  stop(): Promise<{ slowestMs: number; count: number }>;
} {
  let stopped = false;
  let slowestMs = 0;
  let count = 0;
  const watching = (async () => {
    while (!stopped) {
      const began = performance.now();
      const { ok } = await fetch(url);
      if (!ok) throw new Error(`${url} was not answered as it should be`);
      slowestMs = Math.max(slowestMs, Math.round(performance.now() - began));
      count += 1;
      await sleep(20);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return { slowestMs, count };
    },
  };
}

export function fill(text: string, characters = MIB): string {
  return text.repeat(Math.floor(characters / text.length));
}
