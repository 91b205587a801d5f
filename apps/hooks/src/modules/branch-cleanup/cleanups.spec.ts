import { waitFor } from '@cds/testing';
import type { NodeHook, Task } from '@cds/wire';
import { Redis } from 'ioredis';
import { useClock } from '../../../test/clock';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { type Change, pushDelivery } from '../../../test/pushes';
import { settled, swept } from '../../../test/settled';

const DAY = 86_400_000;

describe('branch cleanup', () => {
  const context = useTestContext();
  const clock = useClock();

  async function push(hooks: RunningHooks, hook: NodeHook, ...changes: Change[]): Promise<void> {
    const response = await hooks.webhook(hook.uuid, pushDelivery(...changes));
    if (response.status !== 200) throw new Error(`webhook answered ${response.status}`);
  }

  async function cleanups(hooks: RunningHooks): Promise<Task[]> {
    return (await hooks.tasks()).filter(({ type }) => type === 'BranchDeletion');
  }

  async function branches(hooks: RunningHooks): Promise<string[]> {
    return (await cleanups(hooks)).map(({ config }) => config?.branch?.value ?? '').sort();
  }

  async function scheduled(hooks: RunningHooks, count: number): Promise<Task[]> {
    return waitFor(
      async () => {
        const found = await cleanups(hooks);
        return found.length === count ? found : undefined;
      },
      { what: `${count} cleanups` },
    );
  }

  function dateOf(task: Task | undefined): number {
    return Date.parse(task?.executions?.[0]?.scheduled_task?.date_scheduled_execution ?? '');
  }

  const soon = (delaySeconds: number) => ({ branchDeletion: { delaySeconds } });

  it('is scheduled 24 h after the deletion was accepted, and visible with its date', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const before = Date.now();

    await push(hooks, hook, { deleted: 'feat/x' }, { deletedTag: 'v1' });
    const [task] = await scheduled(hooks, 1);

    expect(task).toMatchObject({
      type: 'BranchDeletion',
      stopped: false,
      nb_executions_total: 1,
      nb_executions_todo: 1,
      config: {
        project: { value: 'PROJ' },
        workflow: { value: 'wf1' },
        branch: { value: 'feat/x' },
      },
      executions: [{ status: 'SCHEDULED', processing_timestamp: 0, nb_errors: 0 }],
    });
    expect(dateOf(task)).toBeGreaterThanOrEqual(before + DAY);
    expect(dateOf(task)).toBeLessThanOrEqual(Date.now() + DAY);
    expect(await hooks.task(task?.uuid ?? '')).toEqual(task);
    const timestamp = task?.executions?.[0]?.timestamp;
    const one = await hooks.call('GET', `/task/${task?.uuid}/execution/${timestamp}`);
    expect(one.body).toEqual(task?.executions?.[0]);
    expect((await hooks.status())['Branch Deletions']?.value).toBe('1');
    expect(context.api.runs()).toEqual([]);
  });

  it('removes the runs when it is due, not before, once, by the escaped name', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);

    await push(hooks, hook, { deleted: 'feat/a b#1' });
    const [task] = await scheduled(hooks, 1);
    clock.pass(DAY - 40_000);
    await settled(context);
    expect(context.api.deletions()).toEqual([]);
    clock.pass(40_000);
    await waitFor(() => context.api.deletions().length > 0);

    expect(context.api.calls.find(({ method }) => method === 'DELETE')?.at).toBeGreaterThanOrEqual(
      dateOf(task),
    );
    expect(context.api.deletions()).toEqual([
      '/project/PROJ/workflows/wf1/runs/branch/feat%2Fa%20b%231',
    ]);
    await scheduled(hooks, 0);
    await settled(context);
    expect(context.api.deletions()).toHaveLength(1);
  });

  it('is cancelled by a push to exactly that branch, by no other push', async () => {
    const hooks = await context.start();
    const [hook, otherRepository] = [repositoryHook(), repositoryHook({ workflow: 'wf9' })];
    await post(hooks, hook, otherRepository);
    await push(hooks, hook, { deleted: 'dev' }, { deleted: 'develop' }, { deleted: 'Dev' });
    await scheduled(hooks, 3);

    await push(hooks, hook, { tag: 'develop' }, { push: 'dev', before: 'b'.repeat(40) });
    await push(hooks, otherRepository, { push: 'develop' });
    await waitFor(() => context.api.runs().length === 3);

    expect(await branches(hooks)).toEqual(['Dev', 'develop']);
  });

  it('is cancelled by the push of a hook that was created anew for the same workflow', async () => {
    const hooks = await context.start();
    const [before, after] = [repositoryHook(), repositoryHook()];
    await post(hooks, before);
    await push(hooks, before, { deleted: 'dev' });
    await scheduled(hooks, 1);
    await hooks.call('DELETE', '/task/bulk', { [before.uuid]: before });
    expect(await branches(hooks)).toEqual(['dev']);
    await post(hooks, after);

    await push(hooks, after, { push: 'dev' });

    await scheduled(hooks, 0);
  });

  it('is cancelled although the workflow was renamed in the meantime', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    await scheduled(hooks, 1);
    await post(hooks, { ...hook, config: repositoryHook({ workflow: 'renamed' }).config });

    await push(hooks, hook, { push: 'dev' });

    await scheduled(hooks, 0);
  });

  it('starts its time again when the branch is deleted again', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    const [first] = await scheduled(hooks, 1);
    clock.pass(DAY - 40_000);
    // Its job has been made.
    await settled(context);

    await push(hooks, hook, { deleted: 'dev' });
    await waitFor(async () => dateOf((await cleanups(hooks))[0]) > dateOf(first));
    clock.pass(DAY / 2);
    await settled(context);
    expect(context.api.deletions()).toEqual([]);
    clock.pass(DAY / 2);
    await waitFor(() => context.api.deletions().length > 0);

    await settled(context);
    expect(context.api.deletions()).toHaveLength(1);
  });

  it('is for the workflow of the task when it falls due', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    await scheduled(hooks, 1);

    await post(hooks, { ...hook, config: repositoryHook({ workflow: 'renamed' }).config });
    clock.pass(DAY);

    await waitFor(() => context.api.deletions().length > 0);
    expect(context.api.deletions()).toEqual(['/project/PROJ/workflows/renamed/runs/branch/dev']);
  });

  it('is not hit when a push to the branch still waits', async () => {
    const hooks = await context.start({ retryDelaySeconds: 600, retryError: 100 });
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' }, { deleted: 'gone' });
    await scheduled(hooks, 2);
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { refuse: 500 } : 'ok');

    await push(hooks, hook, { push: 'blocks' });
    await push(hooks, hook, { push: 'dev' });
    clock.pass(DAY);

    await waitFor(() => context.api.deletions().length > 0);
    expect(context.api.deletions()).toEqual(['/project/PROJ/workflows/wf1/runs/branch/gone']);
    await scheduled(hooks, 0);
    expect(context.api.deletions()).toHaveLength(1);
  });

  it('holds back a push that comes in while the API removes', async () => {
    const hooks = await context.start(soon(1));
    const hook = repositoryHook();
    await post(hooks, hook);
    let removing = 0;
    let remove: () => void = () => undefined;
    const after = new Promise<void>((resolve) => (remove = resolve));
    context.api.behave = ({ method }) => {
      if (method !== 'DELETE') return 'ok';
      removing++;
      return { after };
    };
    await push(hooks, hook, { deleted: 'dev' });
    await waitFor(() => removing === 1);

    await push(hooks, hook, { push: 'dev' });
    await swept(context);
    expect(context.api.runs()).toEqual([]);
    remove();
    await waitFor(() => context.api.runs().length === 1);

    const order = context.api.calls
      .filter(({ url }) => url.includes('/runs'))
      .map(({ method }) => method);
    expect(order).toEqual(['DELETE', 'POST']);
  });

  it('keeps the 404 of an older CDS for a branch with a slash as an error, and does not try again', async () => {
    const hooks = await context.start(soon(0));
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.slashKnown = false;

    await push(hooks, hook, { deleted: 'feat/x' });
    const [task] = await waitFor(async () => {
      const found = await cleanups(hooks);
      return found[0]?.nb_executions_todo === 0 ? found : undefined;
    });

    expect(task?.executions).toMatchObject([
      { status: 'DONE', nb_errors: 1, last_error: expect.stringContaining('before 0.52') },
    ]);
    await settled(context);
    expect(context.api.deletions()).toHaveLength(1);
    expect((await hooks.status())['Branch Deletions Failed']).toEqual({
      status: 'WARN',
      value: '1',
    });
    expect((await hooks.call('DELETE', `/task/${task?.uuid}`)).status).toBe(204);
    expect(await cleanups(hooks)).toEqual([]);
  });

  it('tries three times in all what the API refuses, then keeps the error', async () => {
    const hooks = await context.start(soon(0));
    const hook = repositoryHook();
    await post(hooks, hook);
    let tries = 0;
    context.api.behave = ({ method }) => {
      if (method !== 'DELETE') return 'ok';
      tries++;
      return { refuse: 500 };
    };

    await push(hooks, hook, { deleted: 'dev' });
    await waitFor(async () => (await cleanups(hooks))[0]?.executions?.[0]?.status === 'DONE');

    expect(tries).toBe(3);
    expect((await cleanups(hooks))[0]?.executions).toMatchObject([{ nb_errors: 3 }]);
  });

  it('waits for an API that is away, and goes on when it is back', async () => {
    const hooks = await context.start({ retryDelaySeconds: 600 });
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    await scheduled(hooks, 1);
    await context.api.stop();
    clock.pass(DAY);
    const task = await waitFor(async () => {
      const redis = new Redis(context.redis.url);
      const keys = await redis.keys('cdsbb:hooks:cleanup:*');
      const outages = await redis.hget(keys[0] ?? '', 'outages');
      redis.disconnect();
      return Number(outages) >= 2;
    });
    expect(task).toBe(true);

    await context.api.start();

    await waitFor(() => context.api.deletions().length === 1);
    await scheduled(hooks, 0);
  });

  it('that was stopped, or failed for good, is cancelled by a push too', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.behave = ({ url }) => (url.endsWith('/failed') ? { refuse: 404, id: 30 } : 'ok');
    await push(hooks, hook, { deleted: 'stopped' });
    const [stopped] = await scheduled(hooks, 1);
    await hooks.call('GET', `/task/${stopped?.uuid}/stop`);
    // Nothing else is scheduled: the push alone has to find the one that was stopped.
    await push(hooks, hook, { push: 'stopped' });
    await scheduled(hooks, 0);

    await push(hooks, hook, { deleted: 'failed' });
    await scheduled(hooks, 1);
    clock.pass(DAY);
    await waitFor(async () => (await cleanups(hooks))[0]?.nb_executions_todo === 0);
    const asked = context.api.calls.filter(({ method }) => method === 'DELETE').length;
    await hooks.call('GET', '/task/bulk/start');
    await settled(context);
    expect(context.api.calls.filter(({ method }) => method === 'DELETE')).toHaveLength(asked);

    await push(hooks, hook, { push: 'failed' });
    await scheduled(hooks, 0);
  });

  it('can be stopped, started and deleted through the routes of tasks', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'stopped' }, { deleted: 'deleted' }, { deleted: 'ended' });
    const tasks = await scheduled(hooks, 3);
    const of = (branch: string) => tasks.find(({ config }) => config?.branch?.value === branch);

    expect((await hooks.call('GET', `/task/${of('stopped')?.uuid}/stop`)).status).toBe(204);
    expect((await hooks.call('DELETE', `/task/${of('deleted')?.uuid}`)).status).toBe(204);
    const ended = of('ended');
    const end = `/task/${ended?.uuid}/execution/${ended?.executions?.[0]?.timestamp}/stop`;
    expect((await hooks.call('POST', end)).status).toBe(204);
    clock.pass(DAY);
    await settled(context);
    expect(context.api.deletions()).toEqual([]);
    expect(await hooks.task(of('stopped')?.uuid ?? '')).toMatchObject({ stopped: true });
    expect(await hooks.executions(ended?.uuid ?? '')).toMatchObject([
      { status: 'DONE', last_error: 'DONE', nb_errors: 4 },
    ]);

    expect((await hooks.call('GET', `/task/${of('stopped')?.uuid}/start`)).status).toBe(204);
    await waitFor(() => context.api.deletions().length === 1);
    expect(context.api.deletions()).toEqual(['/project/PROJ/workflows/wf1/runs/branch/stopped']);
  });

  it('survives restarts of the service, synchronizations and restarts of Redis', async () => {
    const hook = repositoryHook();
    const hooks = await context.start();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    await scheduled(hooks, 1);
    context.api.hooks = [hook];
    await hooks.service.stop(2_000);
    await context.redis.kill();
    await context.redis.start();

    const again = await context.start();
    await waitFor(() => context.api.calls.filter(({ url }) => url === '/workflow/hook').length > 1);
    expect(await branches(again)).toEqual(['dev']);
    clock.pass(DAY);

    await waitFor(() => context.api.deletions().length === 1);
    await scheduled(again, 0);
  });

  describe('that is brought forward', () => {
    const due = (hooks: RunningHooks, task: Task | undefined) =>
      hooks.call('POST', `/admin/task/${task?.uuid}/due`);

    it('is done now, once, and has gone then', async () => {
      const hooks = await context.start();
      const hook = repositoryHook();
      await post(hooks, hook);
      await push(hooks, hook, { deleted: 'dev' }, { deleted: 'other' });
      const tasks = await scheduled(hooks, 2);
      const task = tasks.find(({ config }) => config?.branch?.value === 'dev');

      const before = Date.now();
      const [first, second] = await Promise.all([due(hooks, task), due(hooks, task)]);
      expect(first).toMatchObject({ status: 200, body: { uuid: task?.uuid } });
      const { date_scheduled_execution: date } = first.body as { date_scheduled_execution: string };
      expect(Date.parse(date)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(date)).toBeLessThanOrEqual(Date.now());
      // The other call is the same order, or comes when the work is done.
      expect([200, 404]).toContain(second.status);

      await waitFor(async () => (await branches(hooks)).join() === 'other');
      expect(context.api.deletions()).toEqual(['/project/PROJ/workflows/wf1/runs/branch/dev']);
      const done = await due(hooks, task);
      expect(done).toMatchObject({ status: 404 });
      expect((done.body as { message: string }).message).toContain('it was done or cancelled');
    });

    it('does not wait out the pause after a refusal', async () => {
      const hooks = await context.start({ retryDelaySeconds: 600, ...soon(0) });
      const hook = repositoryHook();
      await post(hooks, hook);
      context.api.behave = () => ({ refuse: 500, id: 1 });
      await push(hooks, hook, { deleted: 'dev' });
      const refused = await waitFor(async () => {
        const [task] = await cleanups(hooks);
        return task?.executions?.[0]?.nb_errors === 1 ? task : undefined;
      });
      context.api.behave = () => 'ok';
      const date = dateOf(refused);

      expect(await due(hooks, refused)).toMatchObject({
        status: 200,
        body: { date_scheduled_execution: new Date(date).toISOString() },
      });
      await scheduled(hooks, 0);
    });

    it('stays as it is where it is stopped or failed, and names what to do', async () => {
      const hooks = await context.start({ retryError: 1 });
      const hook = repositoryHook();
      await post(hooks, hook);
      context.api.behave = () => ({ refuse: 404, id: 30 });
      await push(hooks, hook, { deleted: 'failed' });
      await due(hooks, (await scheduled(hooks, 1))[0]);
      const failed = await waitFor(async () => {
        const [task] = await cleanups(hooks);
        return task?.nb_executions_todo === 0 ? task : undefined;
      });
      await push(hooks, hook, { deleted: 'stopped' });
      const stopped = await waitFor(async () =>
        (await cleanups(hooks)).find(({ config }) => config?.branch?.value === 'stopped'),
      );
      await hooks.call('GET', `/task/${stopped.uuid}/stop`);
      const asked = context.api.deletions().length;

      for (const task of [failed, stopped]) {
        const { status, body } = await due(hooks, task);
        expect(status).toBe(409);
        expect((body as { message: string }).message).toContain('GET /task/{uuid}/start');
      }
      expect((await hooks.call('POST', `/admin/task/${hook.uuid}/due`)).status).toBe(400);
      expect((await hooks.call('POST', `/admin/task/${'0'.repeat(64)}/due`)).status).toBe(404);
      expect(context.api.deletions()).toHaveLength(asked);
    });
  });

  it('is done although its job was lost', async () => {
    const hooks = await context.start(soon(100));
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    await scheduled(hooks, 1);
    const redis = new Redis(context.redis.url);
    const jobs = 'cdsbb:hooks:bull:branch-deletion:*';
    await waitFor(async () => (await redis.zcard(jobs.replace('*', 'delayed'))) === 1);
    for (const key of await redis.keys(jobs)) await redis.del(key);
    redis.disconnect();
    clock.pass(100_000);

    await waitFor(() => context.api.deletions().length === 1);
  });
});
