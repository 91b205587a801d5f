import { createTaskStore, NEW_STATE, createDeliveryStore } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { startTestRedis, type TestRedis } from '@cds/testing';
import { Redis } from 'ioredis';

const UUID = 'the-hook';
const CLAIM = { uuid: UUID, lockToken: 'me' };
const JOB = 'hook-the-hook';

describe('a delivery that is finished, and the next one', () => {
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

  async function start(deliveries: number) {
    const store = createDeliveryStore({
      ...{ redis, executionHistory: 10, deadLetters: 3, signature: 'auto' },
    });
    const tasks = createTaskStore({ redis });
    await tasks.put({ uuid: UUID, type: 'Webhook', method: 'POST', config: {} }, Date.now());
    for (let count = 0; count < deliveries; count++) {
      await store.accept({
        ...{ uuid: UUID, method: 'POST', validatedFor: 'Webhook', validation: 'accept' },
        ...{ signature: 'none', requestUuid: '', acceptedAt: Date.now(), requestId: `r${count}` },
        ...{ ignored: NEW_STATE, duplicate: NEW_STATE },
        received: {
          webhook: { request_url: '', request_body: '', request_header: {}, request_method: '' },
        },
      });
    }
    const taken = await store.takePending(UUID, CLAIM.lockToken, JOB);
    if (taken.kind !== 'work') throw new Error(taken.kind);
    const finish = (id: string, nextFor?: string) =>
      store.finish(CLAIM, id, { ...NEW_STATE, status: 'DONE' }, '', nextFor);
    return { store, pending: taken.pending, finish };
  }

  it('is taken as it would be by itself, until there is none', async () => {
    const { store, pending, finish } = await start(2);
    await redis.zadd(KEYS.apiWaiters, 1, JOB);
    const { saved, next } = await finish(pending.id, JOB);
    expect(saved).toBe('ok');
    expect(next).toEqual(await store.takePending(UUID, CLAIM.lockToken, JOB));
    if (next?.kind !== 'work') throw new Error(next?.kind);
    expect(next.pending.execution.request_id).toBe('r1');
    expect(await redis.zcard(KEYS.apiWaiters)).toBe(0);

    expect(await finish(next.pending.id, JOB)).toMatchObject({
      saved: 'ok',
      next: { kind: 'empty' },
    });
    expect(await redis.sismember(KEYS.pending, UUID)).toBe(0);
    // Nothing is left to do: the lock is released with the last one.
    expect(await redis.exists(hookKeys(UUID).owner)).toBe(0);
  });

  it('is not taken unless asked for, nor where the hook is another’s', async () => {
    const { pending, finish } = await start(2);
    await redis.set(hookKeys(UUID).owner, 'another');
    expect(await finish(pending.id, JOB)).toEqual({ saved: 'lost', dropped: 0 });
    await redis.set(hookKeys(UUID).owner, CLAIM.lockToken);
    expect(await finish(pending.id)).toEqual({ saved: 'ok', dropped: 0 });
    // Repeated since its answer was lost: whoever does takes the next one by itself.
    expect(await finish(pending.id, JOB)).toEqual({ saved: 'gone', dropped: 0 });
  });

  it('is not taken of a task that was stopped or removed meanwhile', async () => {
    const { pending, finish } = await start(3);
    await redis.hset(hookKeys(UUID).task, 'stopped', '1');
    expect(await finish(pending.id, JOB)).toMatchObject({ saved: 'ok', next: { kind: 'stopped' } });
    const [second = ''] = await redis.lrange(hookKeys(UUID).waiting, 0, 0);
    await redis.del(hookKeys(UUID).task);
    expect(await finish(second, JOB)).toMatchObject({ saved: 'ok', next: { kind: 'gone' } });
  });

  it.each(['done', 'executions', 'task'] as const)(
    'stays the head while %s is text',
    async (name) => {
      const { pending, finish } = await start(1);
      const { waiting, [name]: key, done } = hookKeys(UUID);
      await redis.set(key, 'text');
      await expect(finish(pending.id)).rejects.toThrow(`WRONGTYPE ${key}`);
      expect(await redis.lrange(waiting, 0, -1)).toEqual([pending.id]);
      await redis.del(key);
      expect(await finish(pending.id)).toMatchObject({ saved: 'ok' });
      expect(await redis.zrange(done, '0', '-1')).toEqual([pending.id]);
    },
  );

  it('is finished although the counter of what waits is no number', async () => {
    const { pending, finish } = await start(1);
    await redis.set(KEYS.waitingTotal, 'text');
    expect(await finish(pending.id)).toMatchObject({ saved: 'ok' });
    expect(await redis.zrange(hookKeys(UUID).done, '0', '-1')).toEqual([pending.id]);
  });
});
