import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { connectRedis } from '@cds/redis';
import { silentLogger, startTestRedis, waitFor, type TestRedis } from '@cds/testing';
import { createReconnectingQueue } from './reconnecting-queue';

describe('createReconnectingQueue', () => {
  let redis: TestRedis;
  let proxy: Server;
  let connection: ReturnType<typeof connectRedis>;

  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.stop());
  afterEach(async () => {
    connection.disconnect();
    await new Promise((resolve) => proxy.close(resolve));
  });

  /** Cuts the connection at these commands INFO, counted over all connections. */
  async function connectThrough(cutAt: number[]) {
    let infos = 0;
    proxy = createServer((client) => {
      const upstream = connect(redis.port, '127.0.0.1');
      for (const socket of [client, upstream]) {
        socket.on('error', () => undefined);
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
      }
      client.on('data', (chunk) => {
        if (/\r\ninfo\r\n/i.test(chunk.toString('latin1'))) infos += 1;
        if (cutAt.includes(infos)) {
          cutAt.splice(cutAt.indexOf(infos), 1);
          client.destroy();
        } else upstream.write(chunk);
      });
      upstream.on('data', (chunk) => client.write(chunk));
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    connection = connectRedis(
      {
        redis: { password: '', address: { kind: 'single', host: '127.0.0.1', port } },
        logger: silentLogger(),
        name: 'reconnecting',
      },
      'client',
    );
  }

  it.each([
    ['once', [2]],
    ['twice', [2, 4]],
  ])(
    'works although Redis went away %s when the queue asked it for its version',
    async (_times, cutAt) => {
      const cuts = [...cutAt];
      await connectThrough(cuts);
      // The first INFO of each connection is the client's own; the second one is the queue's.
      const reconnecting = createReconnectingQueue<{ uuid: string }>('reconnecting', {
        redis: connection,
        logger: silentLogger(),
      });
      await waitFor(() => cuts.length === 0, { what: 'the connection to be cut' });
      await waitFor(() => reconnecting.queue.add('job', { uuid: 'u' }, { jobId: 'a-job' }), {
        what: 'the queue to take a job',
      });
      expect((await reconnecting.queue.getJob('a-job'))?.data).toEqual({ uuid: 'u' });
      await reconnecting.queue.obliterate({ force: true });
      await reconnecting.close();
    },
  );
});
