import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readCommit } from './processes/deliveries';
import { steady } from './processes/steady-load';

/** Answers none of the first `held` requests before the last of them has come. */
async function startServer(held: number) {
  const commits: number[][] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { push } = JSON.parse(String(Buffer.concat(chunks)));
      commits.push(readCommit(push.changes[0].new.target.hash));
      waiting.push(() => response.end('{}'));
      if (commits.length < held) return;
      for (const answer of waiting.splice(0)) answer();
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, commits, close: () => new Promise((resolve) => server.close(resolve)) };
}

const hooks = ['a', 'b', 'c', 'd'].map((uuid) => ({ uuid, secret: 's' }));

describe('the load at a set rate', () => {
  it('goes on sending while answers are missing, and counts the wait of all', async () => {
    const server = await startServer(4);
    const order = { url: server.url, hooks, connections: 4, round: 7, rate: 40, seconds: 0.1 };
    const report = await steady(order);
    await server.close();
    expect(report).toMatchObject({ answered: 4, refused: 0, failed: 0 });
    // The first waited for the last, which was due 75 ms after it.
    expect(report.worst + report.late99).toBeGreaterThanOrEqual(70);
  });

  it('keeps the order of each hook over connections that several share', async () => {
    const server = await startServer(2);
    const order = { url: server.url, hooks, connections: 2, round: 7, rate: 400, seconds: 0.1 };
    expect((await steady(order)).answered).toBe(40);
    await server.close();
    for (const hook of hooks.keys()) {
      const numbers = server.commits.filter(([, at]) => at === hook).map(([, , number]) => number);
      expect(numbers).toEqual([...Array(10).keys()]);
    }
  });

  it('tells of those that were not taken', async () => {
    const order = { url: 'http://127.0.0.1:1', hooks, connections: 2, round: 7, rate: 100 };
    await expect(steady({ ...order, seconds: 0.02 })).resolves.toMatchObject({ failed: 2 });
  });
});
