import { cleanupId, createHookLock, createCleanupStore } from '@cds/hooks-store';
import { cleanupKey, hookKeys, KEYS } from '@cds/hooks-store/keys';
import { silentLogger, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { push, refsOf } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { swept } from '../../../test/settled';
import { type CleanupQueue, createCleanupQueue } from '../../queue/cleanup-queue';
import { createEnqueueDueCleanups } from './enqueue-due-cleanups';

const PATH = '/project/PROJ/workflows/wf1/runs/branch/';
const branchesOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe('cleanups that are due together', () => {
  const context = useTestContext();
  let queue: CleanupQueue;

  beforeAll(async () => {
    queue = createCleanupQueue({ redis: context.redisClient, logger: silentLogger() });
    context.onEnd(queue.close);
    await queue.queue.waitUntilReady();
  });

  async function deleted(hooks: RunningHooks, hook: NodeHook, branches: string[]): Promise<void> {
    const before = await context.redisClient.zcard(KEYS.cleanups);
    await push(hooks, hook, ...branches.map((branch) => ({ deleted: branch })));
    await waitFor(
      async () => (await context.redisClient.zcard(KEYS.cleanups)) === before + branches.length,
    );
  }

  /**
   * As if the day were almost over. @returns ids in the order in which they will be done, of each
   * hook
   */
  async function makeDue(inMs = 300): Promise<string[]> {
    const ids = await context.redisClient.zrange(KEYS.cleanups, 0, '-1');
    const due = Date.now() + inMs;
    for (const id of ids) {
      await context.redisClient.hset(cleanupKey(id), 'due', due);
      await context.redisClient.zadd(KEYS.cleanups, due, id);
    }
    const store = createCleanupStore({ redis: context.redisClient, deadLetters: 10 });
    await createEnqueueDueCleanups({ store, queue }).enqueue(Date.now());
    return context.redisClient.zrange(KEYS.cleanups, 0, '-1');
  }

  const removed = () => context.api.deletions().map((path) => path.replace(PATH, ''));
  const allGone = () =>
    waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === 0, {
      what: 'all cleanups to be done',
    });

  async function nothingIsHeld(...hooks: NodeHook[]): Promise<void> {
    await waitFor(
      async () =>
        (await context.redisClient.exists(...hooks.map(({ uuid }) => hookKeys(uuid).owner))) === 0,
      { what: 'all hooks to be given back' },
    );
  }

  it('share jobs, and are done once each, by one of two replicas', async () => {
    const hooks = await context.start();
    await context.start();
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    const [a, b] = [branchesOf('a', 30), branchesOf('b', 15)];
    await deleted(hooks, first, a);
    await deleted(hooks, second, b);
    await makeDue(1_000);
    expect(await queue.queue.getDelayedCount()).toBeLessThan(4);
    expect(removed()).toEqual([]);

    await allGone();
    expect(removed().sort()).toEqual([...a, ...b].sort());
    await nothingIsHeld(first, second);
    expect(await context.redisClient.keys('cdsbb:hooks:cleanup:*')).toEqual([]);
  });

  it('leave a branch that a push brings back, which waits at another hook of the workflow', async () => {
    const hooks = await context.start();
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    await deleted(hooks, first, branchesOf('a', 5));
    expect((await hooks.call('GET', `/task/${second.uuid}/stop`)).status).toBe(204);
    await push(hooks, second, { push: 'a-3' });
    await makeDue();

    await allGone();
    expect(removed().sort()).toEqual(['a-0', 'a-1', 'a-2', 'a-4']);
  });

  it('are asked for again one by one when the API refuses', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    let refusals = 0;
    context.api.behave = ({ method, url }) =>
      method === 'DELETE' && url.endsWith('/a-2') && refusals++ === 0 ? { refuse: 500 } : 'ok';
    await deleted(hooks, hook, branchesOf('a', 6));
    await makeDue();

    await allGone();
    expect(removed().sort()).toEqual(branchesOf('a', 6));
    expect(refusals).toBe(2);
    await nothingIsHeld(hook);
  });

  it('wait for an API that is away, and are done when it is back', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await deleted(hooks, hook, branchesOf('a', 10));
    await context.api.stop();
    const ids = await makeDue();
    await waitFor(async () => {
      const outages = await Promise.all(
        ids.map((id) => context.redisClient.hget(cleanupKey(id), 'outages')),
      );
      return outages.every((count) => Number(count) > 0);
    });
    await nothingIsHeld(hook);
    expect(await context.redisClient.zcard(KEYS.cleanups)).toBe(10);

    await context.api.start();
    await allGone();
    expect(removed().sort()).toEqual(branchesOf('a', 10).sort());
  });

  it('do not hold a hook for long: a push that comes meanwhile brings its branch back', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.behave = ({ method }) => (method === 'DELETE' ? { delayMs: 150 } : 'ok');
    await deleted(hooks, hook, branchesOf('a', 8));
    const ids = await makeDue();
    const last = (await context.redisClient.hget(cleanupKey(ids.at(-1) ?? ''), 'branch')) ?? '';
    await waitFor(() => removed().length > 0);
    await push(hooks, hook, { push: last });

    await waitFor(() => refsOf(context).length === 1, { what: 'the run of the push' });
    await allGone();
    expect(refsOf(context)).toEqual([last]);
    const others = branchesOf('a', 8).filter((branch) => branch !== last);
    expect(removed().sort()).toEqual(others.sort());
  });

  it('see a push that comes meanwhile at another hook of the workflow', async () => {
    const hooks = await context.start();
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    context.api.behave = ({ method }) => (method === 'DELETE' ? { delayMs: 30 } : 'ok');
    const branches = branchesOf('a', 25);
    await deleted(hooks, first, branches);
    const ids = await makeDue();
    const last = (await context.redisClient.hget(cleanupKey(ids.at(-1) ?? ''), 'branch')) ?? '';
    await waitFor(() => removed().length > 0);
    await push(hooks, second, { push: last });

    await allGone();
    await waitFor(() => refsOf(context).length === 1, { what: 'the run of the push' });
    expect(removed().sort()).toEqual(branches.filter((branch) => branch !== last).sort());
  });

  it('hold no other hook while the API is slow for one', async () => {
    const hooks = await context.start();
    const workflows = ['slow', 'quick-1', 'quick-2'];
    const all = workflows.map((workflow) => repositoryHook({ workflow }));
    await post(hooks, ...all);
    for (const hook of all) await deleted(hooks, hook, ['dev']);
    let asked = 0;
    let answer: () => void = () => undefined;
    const after = new Promise<void>((resolve) => (answer = resolve));
    const slowly = () => {
      asked += 1;
      return { after };
    };
    context.api.behave = ({ method, url }) =>
      method === 'DELETE' && url.includes('/slow/') ? slowly() : 'ok';
    await makeDue(200);
    await waitFor(() => asked > 0, { what: 'the slow removal' });
    for (const hook of all.slice(1)) await push(hooks, hook, { push: 'main' });
    await waitFor(() => refsOf(context).length === 2, { what: 'their runs' });
    const slow = '/project/PROJ/workflows/slow/runs/branch/dev';
    expect(context.api.deletions()).not.toContain(slow);

    answer();
    await allGone();
    expect(context.api.deletions().sort()).toEqual(
      workflows.map((name) => `/project/PROJ/workflows/${name}/runs/branch/dev`).sort(),
    );
  });

  it('are not begun as they were read when somebody tried meanwhile', async () => {
    const store = createCleanupStore({ redis: context.redisClient, deadLetters: 10 });
    const hooks = await context.start({ disable: true });
    const hook = repositoryHook();
    await post(hooks, hook);
    const of = { project: 'PROJ', workflow: 'wf1', repository: 'jdoe/repo-0', branch: 'dev' };
    const id = cleanupId(of);
    const rest = { id, due: Date.now(), accepted: '1', hook: hook.uuid, requestId: '' };
    expect(await store.schedule('me', { ...of, ...rest })).toBe('ok');
    const [read] = await store.readAll([id]);
    if (!read) throw new Error('There is no cleanup');
    const failure = { nbErrors: 1, error: 'no', outages: 0, refused: true, now: Date.now() };
    await store.fail(read, { ...failure, retryAt: Date.now() + 60_000 });

    expect(await store.beginDue('me', [read])).toEqual([['other']]);
    expect(await store.begin('me', read, new Map())).toBe('changed');
    const anew = await store.readAll([id]);
    expect(await store.beginDue('me', anew)).toEqual([['begun']]);
    expect(await store.beginDue('you', anew)).toEqual([['busy', 'me']]);
  });

  it('go on in a moment when somebody else is at their hook', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await deleted(hooks, hook, branchesOf('a', 4));
    await nothingIsHeld(hook);
    const other = createHookLock({
      redis: context.redisClient,
      logger: silentLogger(),
      lockHeartbeatMs: 50,
    });
    await other.start();
    try {
      const lock = await other.acquire(hook.uuid);
      if (!lock) throw new Error('The hook is not free');
      await makeDue(100);
      await swept(context);
      expect(removed()).toEqual([]);

      await other.release(lock);
      await allGone();
    } finally {
      other.stop();
    }
    expect(removed().sort()).toEqual(branchesOf('a', 4));
  });

  it('are done by who takes over from a worker that died among them', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const ids = await deleted(hooks, hook, branchesOf('a', 4)).then(() =>
      context.redisClient.zrange(KEYS.cleanups, 0, '-1'),
    );
    await nothingIsHeld(hook);
    const mark = `${hook.uuid} a worker/that died`;
    await context.redisClient.set(hookKeys(hook.uuid).owner, 'a worker/that died');
    for (const id of ids) await context.redisClient.hset(cleanupKey(id), 'under_way', mark);
    await makeDue(100);

    await allGone();
    expect(removed().sort()).toEqual(branchesOf('a', 4));
    await nothingIsHeld(hook);
  });
});
