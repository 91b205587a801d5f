import { cleanupId, createCleanupStore, groupByMoment } from '@cds/hooks-store';
import { startTestRedis, type TestRedis } from '@cds/testing';
import { Redis } from 'ioredis';
import pino from 'pino';
import { createCleanupQueue, type CleanupQueue } from '../../queue/cleanup-queue';
import { AHEAD_MS } from '../../queue/cleanup-queue';
import { createEnqueueDueCleanups } from './enqueue-due-cleanups';

const DAY_MS = 86_400_000;

describe('the jobs of cleanups', () => {
  let server: TestRedis;
  let redis: Redis;
  let queue: CleanupQueue;
  beforeAll(async () => {
    server = await startTestRedis();
    redis = new Redis(server.port, server.host);
    queue = createCleanupQueue({ redis, logger: pino({ level: 'silent' }) });
    await queue.queue.waitUntilReady();
  });
  beforeEach(() => server.flush());
  afterAll(async () => {
    await queue.close();
    redis.disconnect();
    await server.stop();
  });

  async function schedule(branch: string, due: number): Promise<string> {
    const of = { project: 'P', workflow: 'w', repository: 'acme/shop', branch };
    const id = cleanupId(of);
    const store = createCleanupStore({ redis, deadLetters: 10 });
    const kept = await store.schedule('me', {
      ...of,
      ...{ id, due, accepted: '1', hook: 'hook', requestId: '' },
    });
    expect(kept).toBe('ok');
    await queue.enqueue(id, due - Date.now());
    return id;
  }

  function enqueueDue() {
    return createEnqueueDueCleanups({
      store: createCleanupStore({ redis, deadLetters: 10 }),
      queue,
    });
  }

  const enqueued = async () =>
    (await queue.queue.getDelayed()).flatMap(({ data }) => ('ids' in data ? data.ids : [data.id]));
  const delays = async () => (await queue.queue.getDelayed()).map(({ delay }) => delay);

  it('are there only shortly before they are due', async () => {
    const now = Date.now();
    const ahead = enqueueDue();
    await schedule('far', now + DAY_MS);
    await ahead.enqueue(now);
    // Those of one moment come near together.
    await ahead.enqueue(now + DAY_MS - AHEAD_MS - 20);
    expect(await delays()).toEqual([]);

    await ahead.enqueue(now + DAY_MS - AHEAD_MS);
    expect(await delays()).toEqual([AHEAD_MS]);
  });

  it('are there at once for those that are due soon, and for those that are overdue', async () => {
    const now = Date.now();
    await schedule('soon', now + AHEAD_MS);
    expect(await delays()).toHaveLength(1);

    await redis.zadd('cdsbb:hooks:cleanups', now - DAY_MS, 'f'.repeat(64));
    await enqueueDue().enqueue(now);
    expect(await queue.queue.getWaitingCount()).toBe(1);
    expect(await delays()).toHaveLength(1);
  });

  it('are given to all of many that are due at the same moment, once', async () => {
    const now = Date.now();
    const due = now + DAY_MS;
    const ids = await Promise.all(
      Array.from({ length: 1_201 }, (_, index) => schedule(`branch-${index}`, due)),
    );
    const ahead = enqueueDue();
    await ahead.enqueue(due - 1_000);
    expect((await enqueued()).sort()).toEqual(ids.sort());

    // One that is done is not looked at again; after an outage of Redis all are that are near.
    await queue.queue.obliterate({ force: true });
    await ahead.enqueue(due - 900);
    expect(await enqueued()).toEqual([]);
    ahead.beginAnew();
    await ahead.enqueue(due - 900);
    expect((await enqueued()).sort()).toEqual(ids.sort());
  });

  it('are given although the clock was put back since', async () => {
    const now = Date.now();
    const ahead = enqueueDue();
    await ahead.enqueue(now + DAY_MS);
    await ahead.enqueue(now);
    await schedule('near by the right clock', now + 3 * AHEAD_MS);
    await ahead.enqueue(now + 2 * AHEAD_MS);
    expect(await delays()).toEqual([AHEAD_MS]);
  });
});

describe('cleanups that come near', () => {
  const near = (due: number, hook: string) => ({ id: `${hook}-${due}`, due, hook });

  it('are put together by their moment, those of one hook in one group', () => {
    const moment = Array.from({ length: 50 }, (_, at) => near(1_000 + (at % 20), `hook-${at % 2}`));
    const groups = groupByMoment([...moment, near(1_020, 'hook-0'), near(2_000, 'hook-0')]);
    expect(groups.map((group) => group.length)).toEqual([25, 25, 1, 1]);
    for (const group of groups) expect(new Set(group.map(({ hook }) => hook)).size).toBe(1);
  });

  it('are twenty together, a hundred of one hook', () => {
    const many = Array.from({ length: 50 }, (_, at) => near(1_000, `hook-${at}`));
    expect(groupByMoment(many).map((group) => group.length)).toEqual([20, 20, 10]);
    const ofOne = Array.from({ length: 250 }, () => near(1_000, 'hook'));
    expect(groupByMoment(ofOne).map((group) => group.length)).toEqual([100, 100, 50]);
  });

  it('lose nobody', () => {
    const some = Array.from({ length: 1_000 }, (_, at) => near((at * 7) % 500, `hook-${at % 13}`));
    const sorted = some.sort((a, b) => a.due - b.due);
    expect(new Set(groupByMoment(sorted).flat())).toEqual(new Set(some));
  });
});
