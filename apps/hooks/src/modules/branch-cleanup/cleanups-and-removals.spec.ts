import { planDelivery } from '../../hook-modules';
import { cleanupId } from '@cds/hooks-store';
import { cleanupKey, hookKeys, KEYS, workflowHooksKey } from '@cds/hooks-store/keys';
import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { useClock } from '../../../test/clock';
import { allDone, push, refsOf } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { pushDelivery } from '../../../test/pushes';
import { settled, swept } from '../../../test/settled';
import { createWaitingBranchChanges } from './waiting-branch-changes';

const DAY = 86_400_000;
const soon = (delaySeconds: number) => ({ branchDeletion: { delaySeconds } });
const ID_OF_DEV = cleanupId({ project: 'PROJ', workflow: 'wf1', branch: 'dev' });

describe('branch cleanups, removals and other hooks', () => {
  const context = useTestContext();
  const clock = useClock();

  afterEach(() => context.redisClient.config('SET', 'maxmemory', '0'));

  async function hasCleanups(count: number): Promise<void> {
    await waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === count, {
      what: `${count} cleanups`,
    });
  }

  async function stopTask(hooks: RunningHooks, hook: NodeHook): Promise<void> {
    expect((await hooks.call('GET', `/task/${hook.uuid}/stop`)).status).toBe(204);
  }

  async function startTask(hooks: RunningHooks, hook: NodeHook): Promise<void> {
    expect((await hooks.call('GET', `/task/${hook.uuid}/start`)).status).toBe(204);
  }

  async function stopExecution(hooks: RunningHooks, hook: NodeHook, at: number): Promise<void> {
    const id = await context.redisClient.lindex(hookKeys(hook.uuid).waiting, at);
    const { status } = await hooks.call('POST', `/task/${hook.uuid}/execution/${id}000/stop`);
    expect(status).toBe(204);
  }

  const removals: [string, (hooks: RunningHooks, hook: NodeHook) => Promise<unknown>][] = [
    ['its execution is stopped', (hooks, hook) => stopExecution(hooks, hook, 0)],
    [
      'the executions are deleted',
      (hooks, hook) => hooks.call('DELETE', `/task/${hook.uuid}/execution`),
    ],
    ['the task is deleted', (hooks, hook) => hooks.call('DELETE', `/task/${hook.uuid}`)],
    [
      'tasks are deleted',
      (hooks, hook) => hooks.call('DELETE', '/task/bulk', { [hook.uuid]: hook }),
    ],
  ];

  it.each(removals)(
    'keep the runs of a branch that a push brought back, when %s',
    async (_, remove) => {
      const hooks = await context.start();
      const hook = repositoryHook();
      await post(hooks, hook);
      await push(hooks, hook, { deleted: 'dev' }, { deleted: 'gone' });
      await hasCleanups(2);
      await stopTask(hooks, hook);
      await push(hooks, hook, { push: 'dev' });

      await remove(hooks, hook);

      expect(await context.redisClient.exists(cleanupKey(ID_OF_DEV))).toBe(0);
      clock.pass(DAY);
      await waitFor(() => context.api.deletions().length > 0);
      await settled(context);
      expect(context.api.deletions()).toEqual(['/project/PROJ/workflows/wf1/runs/branch/gone']);
      expect(context.api.runs()).toEqual([]);
    },
  );

  it('stay when what is removed tells last of another deletion', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    await hasCleanups(1);
    await stopTask(hooks, hook);
    await push(hooks, hook, { push: 'dev' });
    await push(hooks, hook, { deleted: 'dev' });

    await hooks.call('DELETE', `/task/${hook.uuid}/execution`);

    expect(await context.redisClient.exists(cleanupKey(ID_OF_DEV))).toBe(1);
  });

  it.each(['the same', 'another'])(
    'are not scheduled by a deletion that waits at %s hook and is older than a push that was removed',
    async (which) => {
      const hooks = await context.start();
      const [first, second] = [repositoryHook(), repositoryHook()];
      await post(hooks, first, second);
      const pushed = which === 'another' ? second : first;
      await stopTask(hooks, first);
      await stopTask(hooks, second);
      await push(hooks, first, { deleted: 'dev' }, { deleted: 'gone' });
      await push(hooks, pushed, { push: 'dev' });
      await stopExecution(hooks, pushed, -1);

      await startTask(hooks, first);
      await hasCleanups(1);
      await allDone(hooks, first);
      expect(await context.redisClient.exists(cleanupKey(ID_OF_DEV))).toBe(0);

      await push(hooks, first, { deleted: 'dev' });
      await hasCleanups(2);
      expect(await context.redisClient.exists(KEYS.broughtBack)).toBe(0);
    },
  );

  it('wait from a later deletion on, and are not lost when that one is removed', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    await hasCleanups(1);
    await stopTask(hooks, hook);
    clock.pass(DAY / 2);
    const again = Date.now();
    await push(hooks, hook, { deleted: 'dev' });
    clock.pass(DAY / 2);

    await waitFor(
      async () =>
        Number(await context.redisClient.hget(cleanupKey(ID_OF_DEV), 'due')) >= again + DAY,
    );
    expect(context.api.deletions()).toEqual([]);
    await hooks.call('DELETE', `/task/${hook.uuid}/execution`);
    await startTask(hooks, hook);
    await settled(context);
    expect(context.api.deletions()).toEqual([]);
    clock.pass(DAY / 2);
    await waitFor(() => context.api.deletions().length === 1);

    expect(context.api.calls.at(-1)?.at).toBeGreaterThanOrEqual(again + DAY);
    await hasCleanups(0);
  });

  it('hold back a push at another hook of the workflow while the API removes', async () => {
    const hooks = await context.start(soon(1));
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    let removing = 0;
    let remove: () => void = () => undefined;
    const after = new Promise<void>((resolve) => (remove = resolve));
    context.api.behave = ({ method }) => {
      if (method !== 'DELETE') return 'ok';
      removing++;
      return { after };
    };
    await push(hooks, first, { deleted: 'dev' });
    await waitFor(() => removing === 1);

    await push(hooks, second, { push: 'dev' });
    await swept(context);
    expect(context.api.runs()).toEqual([]);
    remove();
    await waitFor(() => context.api.runs().length === 1);

    const order = context.api.calls.filter(({ url }) => url.includes('/runs'));
    expect(order.map(({ method }) => method)).toEqual(['DELETE', 'POST']);
    const [execution] = await hooks.executions(second.uuid);
    expect(execution).toMatchObject({ nb_errors: 0 });
  });

  it('hold it back also when the task of the first hook is deleted meanwhile', async () => {
    const hooks = await context.start(soon(1));
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    let removing = 0;
    let remove: () => void = () => undefined;
    const after = new Promise<void>((resolve) => (remove = resolve));
    context.api.behave = ({ method }) => {
      if (method !== 'DELETE') return 'ok';
      removing++;
      return { after };
    };
    await push(hooks, first, { deleted: 'dev' });
    await waitFor(() => removing === 1);

    await hooks.call('DELETE', `/task/${first.uuid}`);
    await push(hooks, second, { push: 'dev' });
    await swept(context);
    expect(context.api.runs()).toEqual([]);
    remove();
    await waitFor(() => context.api.runs().length === 1);

    const order = context.api.calls.filter(({ url }) => url.includes('/runs'));
    expect(order.map(({ method }) => method)).toEqual(['DELETE', 'POST']);
    await waitFor(async () => (await context.redisClient.exists(hookKeys(first.uuid).owner)) === 0);
  });

  it('hold nobody back once the API refused a try', async () => {
    const hooks = await context.start({ ...soon(1), retryDelaySeconds: 600 });
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    context.api.behave = ({ method }) => (method === 'DELETE' ? { refuse: 500 } : 'ok');
    await push(hooks, first, { deleted: 'dev' });
    await waitFor(
      async () => (await context.redisClient.hget(cleanupKey(ID_OF_DEV), 'nb_errors')) === '1',
    );
    expect(await context.redisClient.hexists(cleanupKey(ID_OF_DEV), 'under_way')).toBe(0);
    await push(hooks, second, { push: 'dev' });
    await waitFor(() => context.api.runs().length === 1);
    await hasCleanups(0);
  });

  it('see a push that waits at another hook of the workflow', async () => {
    const hooks = await context.start();
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    await push(hooks, first, { deleted: 'dev' }, { deleted: 'gone' });
    await hasCleanups(2);
    await stopTask(hooks, second);

    await push(hooks, second, { push: 'dev' });
    clock.pass(DAY);

    await waitFor(() => context.api.deletions().length > 0);
    await hasCleanups(0);
    expect(context.api.deletions()).toEqual(['/project/PROJ/workflows/wf1/runs/branch/gone']);
    await startTask(hooks, second);
    await waitFor(() => refsOf(context).length === 1);
  });

  it('know the hooks of a workflow as they are now', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    const of = (workflow: string) =>
      context.redisClient.smembers(workflowHooksKey('PROJ', workflow));
    await post(hooks, hook);
    expect(await of('wf1')).toEqual([hook.uuid]);

    await post(hooks, { ...hook, config: repositoryHook({ workflow: 'renamed' }).config });
    expect(await of('wf1')).toEqual([]);
    expect(await of('renamed')).toEqual([hook.uuid]);

    await hooks.call('DELETE', `/task/${hook.uuid}`);
    expect(await of('renamed')).toEqual([]);
  });

  it('leave nothing behind at a hook when another one schedules them anew', async () => {
    const hooks = await context.start();
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    await push(hooks, first, { deleted: 'dev' });
    await hasCleanups(1);

    await push(hooks, second, { deleted: 'dev' });

    await waitFor(
      async () => (await context.redisClient.exists(hookKeys(second.uuid).hookCleanups)) === 1,
    );
    expect(await context.redisClient.hgetall(hookKeys(first.uuid).hookCleanups)).toEqual({});
  });

  it('that failed for good are dropped beyond deadLetters, with a count and one error', async () => {
    const { logger, lines } = captureLogger();
    const config = { ...soon(0), retryError: 1, deadLetters: 2 };
    const hooks = await context.start(config, { logger });
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.behave = ({ method }) => (method === 'DELETE' ? { refuse: 400, id: 74 } : 'ok');

    for (let i = 1; i <= 5; i++) await push(hooks, hook, { deleted: `b${i}` });

    const metrics = async () => (await fetch(`${hooks.url}/mon/metrics`)).text();
    await waitFor(async () => /^cds_hooks_dead_letters_dropped_total\S* 3$/m.test(await metrics()));
    expect(await context.redisClient.zcard(KEYS.failedCleanups)).toBe(2);
    const logged = lines.filter(({ msg }) => String(msg).startsWith('dead letters of cleanups'));
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ level: 50 });
  });

  it('read each pending delivery once, and yield to the event loop', async () => {
    const waiting = createWaitingBranchChanges({ redis: context.redisClient, plan: planDelivery });
    const keys = hookKeys('many');
    const body = Buffer.from(String(pushDelivery({ push: 'dev' }).body)).toString('base64');
    const stored = JSON.stringify({ webhook: { request_body: body }, accepted_at: 7 });
    for (let id = 1; id <= 120; id++) {
      await context.redisClient.rpush(keys.waiting, id);
      await context.redisClient.hset(keys.executions, String(id), stored);
    }
    let turns = 0;
    let reading = true;
    const count = () => {
      turns++;
      if (reading) setImmediate(count);
    };
    setImmediate(count);

    const [read] = await Promise.all([waiting.read('many'), waiting.read('many')]);
    reading = false;

    expect(read.lastSeen).toBe('120');
    expect(read.deliveries).toHaveLength(120);
    expect(read.deliveries[0]).toMatchObject({ id: '1', acceptedAt: 7 });
    expect(turns).toBeGreaterThanOrEqual(3);
    await context.redisClient.hset(keys.executions, '1', 'not to be read again');
    expect((await waiting.read('many')).deliveries).toEqual(read.deliveries);
  });

  it('and deliveries can be removed while Redis is out of memory', async () => {
    const hooks = await context.start();
    const [first, second] = [repositoryHook(), repositoryHook({ workflow: 'wf2' })];
    await post(hooks, first, second);
    await stopTask(hooks, first);
    await stopTask(hooks, second);
    for (const hook of [first, second]) {
      for (const branch of ['a', 'b']) await push(hooks, hook, { push: branch });
    }
    await context.redisClient.config('SET', 'maxmemory', '1');
    expect((await hooks.webhook(first.uuid, pushDelivery({ push: 'c' }))).status).toBe(503);

    const path = `/task/${first.uuid}`;
    expect((await hooks.call('DELETE', `${path}/execution`)).status).toBe(200);
    expect((await hooks.call('DELETE', path)).status).toBe(204);
    expect((await hooks.call('DELETE', `/task/${second.uuid}`)).status).toBe(204);

    expect(await context.redisClient.get(KEYS.waitingTotal)).toBe('0');
  });
});
