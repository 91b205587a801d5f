import { createTaskStore, createOutgoingStore } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { startTestRedis, type TestRedis } from '@cds/testing';
import { Redis } from 'ioredis';

const UUID = 'the-outgoing-hook';

describe('a run of an outgoing hook that Redis cannot store since a key holds something else', () => {
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

  const { executions, waiting } = hookKeys(UUID);
  const ALL = [KEYS.tasks, KEYS.pending, KEYS.waitingTotal, KEYS.waitingSince, KEYS.outgoing];
  it.each([executions, waiting, ...ALL])('waits once when it is sent again: %s', async (key) => {
    const store = createOutgoingStore({ redis, tasks: createTaskStore({ redis }) });
    const request = { request_url: '', request_body: '', request_header: {}, request_method: '' };
    const hook = {
      uuid: UUID,
      type: 'OutgoingWebhook',
      config: {},
      hookRun: 'r',
      request,
    } as const;
    await redis.set(key, 'text');
    await expect(store.accept(hook, Date.now())).rejects.toThrow(/WRONGTYPE|not an integer/);
    await redis.del(key);
    expect(await store.accept(hook, Date.now())).toMatchObject({ isNew: true });
    expect(await redis.llen(waiting)).toBe(1);
    expect(await redis.get(KEYS.waitingTotal)).toBe('1');
  });
});
