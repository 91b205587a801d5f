import { createServer } from 'node:net';

/**
 * Below the range from which systems take the ports of outgoing connections: a service that was killed finds its port
 * free when it is started again.
 */
const LEAST = 20_000;
const MOST = 32_000;
let next = LEAST + (process.pid % 1_000) * 12;

/** A TCP port of 127.0.0.1 that this program gave to nobody else. */
export async function stablePort(): Promise<number> {
  for (let tries = 0; tries < MOST - LEAST; tries += 1) {
    next = next >= MOST ? LEAST : next + 1;
    const port = next;
    if (await isFree(port)) return port;
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
