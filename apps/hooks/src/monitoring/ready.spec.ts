import { BULL_PREFIX, HOOK_QUEUE, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import { allDone } from '../../test/deliveries';
import { repositoryHook, signed } from '../../test/node-hooks';
import { pushDelivery } from '../../test/pushes';
import { post, type RunningHooks } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { CLEANUP_QUEUE } from '../queue/cleanup-queue';

describe('/mon/ready', () => {
  const context = useTestContext();

  async function ready(hooks: RunningHooks) {
    const answer = await fetch(`${hooks.url}/mon/ready`);
    expect(answer.headers.get('content-type')).toBe('application/json');
    return { status: answer.status, body: await answer.json() };
  }
  const READY = { status: 200, body: { ready: true } };
  const isReady = (hooks: RunningHooks) =>
    waitFor(async () => (await ready(hooks)).status === 200, { what: 'the service to be ready' });

  it('does without the API, and changes nothing in Redis', async () => {
    context.api.behave = () => 'drop';
    const hooks = await context.start();
    await isReady(hooks);
    const before = await context.redisClient.keys('*');
    expect(await ready(hooks)).toEqual(READY);
    // The service sweeps meanwhile, and BullMQ looks for stalled jobs.
    const checks = [HOOK_QUEUE, CLEANUP_QUEUE].map(
      (queue) => `${BULL_PREFIX}:${queue}:stalled-check`,
    );
    const known = new Set([...before, KEYS.sweepLock, ...checks]);
    expect((await context.redisClient.keys('*')).filter((key) => !known.has(key))).toEqual([]);
  });

  it('is 503 with the reason from a refused write on, until Redis takes one', async () => {
    const hooks = await context.start();
    await isReady(hooks);
    for (const [setting, refusing, taking, reason] of [
      ['maxmemory', '1', '0', 'its memory is full (maxmemory)'],
      ['min-replicas-to-write', '1', '0', 'it misses replicas (min-replicas-to-write)'],
    ] as const) {
      await context.redisClient.config('SET', setting, refusing);
      expect(await ready(hooks)).toEqual({
        status: 503,
        body: { ready: false, reason: `Redis refuses writes: ${reason}` },
      });
      await context.redisClient.config('SET', setting, taking);
      expect(await ready(hooks)).toEqual(READY);
    }
  });

  it.each([
    ['is frozen', () => context.redis.freeze(), () => context.redis.thaw()],
    ['is away', () => context.redis.shutDown(), () => context.redis.start()],
  ])('is 503 while Redis %s', async (_, go, comeBack) => {
    const hooks = await context.start();
    await isReady(hooks);
    await go();
    try {
      expect(await ready(hooks)).toEqual({
        status: 503,
        body: { ready: false, reason: 'Redis does not answer' },
      });
    } finally {
      await comeBack();
    }
    await isReady(hooks);
  });

  it('is 503 as soon as the service is to stop, which serves everything meanwhile', async () => {
    const hooks = await context.start();
    await isReady(hooks);
    hooks.service.drain();
    expect(await ready(hooks)).toEqual({
      status: 503,
      body: { ready: false, reason: 'the service is stopping' },
    });
    const hook = repositoryHook();
    await post(hooks, hook);
    expect(
      (await hooks.webhook(hook.uuid, signed(hook, pushDelivery({ push: 'while stopping' }))))
        .status,
    ).toBe(200);
    await allDone(hooks, hook);
  });
});
