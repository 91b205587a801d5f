import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the ports of outgoing connections: nobody takes a port between its choice and
 * its use, and a service that was killed finds its port free when it is started again.
 */
const LEAST = 10_240;
const MOST = 32_000;
const given = new Set<number>();

/** A TCP port of 127.0.0.1 that nobody listens on, and that this process gave to nobody else. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1_000; tries++) {
    const port = randomInt(LEAST, MOST);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('No port is free on 127.0.0.1');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
