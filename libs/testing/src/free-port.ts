import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * Below the range from which systems take the ports of outgoing connections: nobody takes a port
 * between its choice and its use, and a service that was killed finds its port free when it is
 * started again.
 */
const LEAST = 10_240;
const MOST = 32_000;

/** A file for each port that a test process of this user has, with its process id. */
const reservations = join(tmpdir(), `cds-test-ports-${userInfo().uid}`);

/**
 * A TCP port of 127.0.0.1 that nobody listens on, and that no other test process is given.
 *
 * @param besides what is added to it for a second port that a program takes by itself: free, too,
 *   and given to no other
 */
export async function freePort(besides = 0): Promise<number> {
  mkdirSync(reservations, { recursive: true });
  for (let tries = 0; tries < 1_000; tries++) {
    const port = randomInt(LEAST, MOST - besides);
    const all = besides === 0 ? [port] : [port, port + besides];
    if (all.every(reserve) && (await Promise.all(all.map(isFree))).every(Boolean)) return port;
  }
  throw new Error('No port is free on 127.0.0.1');
}

/** @returns whether this process has it now, and had not before */
function reserve(port: number): boolean {
  const file = join(reservations, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // For the next one that chooses it: two that remove it now would both have it.
    if (!isAlive(file)) rmSync(file, { force: true });
    return false;
  }
}

function isAlive(file: string): boolean {
  try {
    return process.kill(Number(readFileSync(file, 'utf8')), 0);
  } catch {
    return false;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
