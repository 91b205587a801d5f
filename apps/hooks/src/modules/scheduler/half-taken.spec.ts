import { createTaskStore, createScheduleStore } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { startTestRedis, type TestRedis } from '@cds/testing';
import { Redis } from 'ioredis';

const UUID = 'the-scheduler';

describe('a time that Redis cannot store since a key holds something else', () => {
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startTestRedis();
    redis = new Redis(server.port, server.host);
  });
  beforeEach(() => server.flush());
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const { executions, waiting, states, done } = hookKeys(UUID);
  const ALL = [KEYS.pending, KEYS.waitingTotal, KEYS.failed, KEYS.waitingSince];
  it.each([executions, waiting, states, done, ...ALL])('stays due: %s', async (key) => {
    const store = createScheduleStore({ redis, executionHistory: 10 });
    await createTaskStore({ redis }).put(
      { uuid: UUID, type: 'Scheduler', method: '', config: {} },
      Date.now(),
    );
    const time = Date.now() - 5_000;
    await store.makeDue({ uuid: UUID, config: '{}', schedule: 's' }, time);
    const [scheduler] = await store.read([{ uuid: UUID, due: time }]);
    if (!scheduler) throw new Error('no scheduler');
    await redis.set(key, 'text');

    const take = () => store.take(scheduler, { time, next: time + 60_000, late: false });
    await expect(take()).rejects.toThrow(/WRONGTYPE|not an integer/);
    expect(await store.dueAt(UUID)).toBe(time);
    await redis.del(key);
    expect(await take()).toBe('taken');
    expect(await redis.llen(waiting)).toBe(1);
    expect(await redis.get(KEYS.waitingTotal)).toBe('1');
  });
});
