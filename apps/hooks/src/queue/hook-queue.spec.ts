import { connectRedis } from '@cds/redis';
import { silentLogger, startTestRedis, waitFor, type TestRedis } from '@cds/testing';
import { createHookQueue, type HookQueue } from './hook-queue';
import { hookJobId } from '@cds/hooks-store';

describe('createHookQueue', () => {
  let redis: TestRedis;
  let connection: ReturnType<typeof connectRedis>;
  let queue: HookQueue;

  beforeAll(async () => {
    redis = await startTestRedis();
    const logger = silentLogger();
    connection = connectRedis({ redis: redis.config, logger, name: 'drain' }, 'client');
    queue = createHookQueue({ redis: connection, logger });
  });
  afterAll(async () => {
    await queue.close();
    connection.disconnect();
    await redis.stop();
  });
  beforeEach(() => redis.flush());

  const hasJob = async (uuid: string): Promise<boolean> =>
    (await queue.queue.getJob(hookJobId(uuid))) !== undefined;
  const commands = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(await connection.info('stats'))?.[1]);

  it('asks nothing of Redis for a delivery behind others, whose job is there', async () => {
    queue.arrived('a', 1);
    await waitFor(() => hasJob('a'), { what: 'the job' });
    const before = await commands();
    for (let waiting = 2; waiting < 50; waiting += 1) queue.arrived('a', waiting);
    // The answer to this one comes after whatever was sent before it.
    expect((await commands()) - before).toBe(1);
  });

  it('makes a job for the first that waits, though one was made a moment ago', async () => {
    queue.arrived('b', 1);
    await waitFor(() => hasJob('b'), { what: 'the job' });
    await redis.flush();
    queue.arrived('b', 1);
    await waitFor(() => hasJob('b'), { what: 'the job again' });
  });

  it('makes a job for a delivery behind others where none was made lately', async () => {
    queue.arrived('c', 7);
    await waitFor(() => hasJob('c'), { what: 'the job' });
  });

  it('makes a job again for deliveries behind others, once the last was made a moment ago', async () => {
    queue.arrived('d', 1);
    await waitFor(() => hasJob('d'), { what: 'the job' });
    await redis.flush();
    await waitFor(
      () => {
        queue.arrived('d', 2);
        return hasJob('d');
      },
      { what: 'the job that was lost' },
    );
  });
});
