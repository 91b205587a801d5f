import { startTestRedis, type TestRedis, waitFor } from '@cds/testing';
import { Redis } from 'ioredis';
import { batchWrites } from './batch-writes';

describe('commands of one turn', () => {
  let server: TestRedis;
  let redis: Redis;
  beforeEach(async () => {
    server = await startTestRedis();
    redis = new Redis(server.port, server.host);
    batchWrites(redis);
    await redis.ping();
  });
  afterEach(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('leave by one write for every four, in their order', async () => {
    const stream = redis.stream as unknown as { _writev(...args: unknown[]): void; _write(): void };
    const together = jest.spyOn(stream, '_writev');
    const alone = jest.spyOn(stream, '_write');
    const replies = await Promise.all(Array.from({ length: 50 }, () => redis.incr('n')));
    expect(replies).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    // The last two wait for the turn to end.
    expect(together).toHaveBeenCalledTimes(13);
    expect(alone).not.toHaveBeenCalled();
  });

  it('wait for no others: one alone leaves with its turn', async () => {
    expect(await redis.incr('n')).toBe(1);
    expect(await redis.incr('n')).toBe(2);
  });

  it('do so over the connection that follows a lost one, too', async () => {
    const lost = redis.stream;
    const back = new Promise((resolve) => redis.once('ready', resolve));
    lost.destroy();
    await back;
    expect(redis.stream).not.toBe(lost);
    const together = jest.spyOn(redis.stream as unknown as { _writev(): void }, '_writev');
    await Promise.all([redis.incr('n'), redis.incr('n')]);
    expect(together).toHaveBeenCalledTimes(1);
  });

  it('that were not sent when the connection broke fail with it', async () => {
    const client = new Redis(server.port, server.host, {
      ...{ autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
    });
    batchWrites(client);
    await client.ping();
    const sent = client.incr('never');
    client.stream.destroy();
    await expect(sent).rejects.toThrow();
    expect(await redis.exists('never')).toBe(0);
    // Between two attempts it would keep a timer.
    await waitFor(() => client.status === 'ready', { what: 'the next connection' });
    client.disconnect();
  });
});
