import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook, Task } from '@cds/wire';
import { allDone, push, refsOf } from '../../test/deliveries';
import { nodeHook, repositoryHook } from '../../test/node-hooks';
import { post, type RunningHooks } from '../../test/running-hooks';
import { swept } from '../../test/settled';
import { useTestContext } from '../../test/test-context';

const NAMES = ['a', 'b', 'c'];

describe('a maintenance of CDS', () => {
  const context = useTestContext();

  async function withHook(hooks: RunningHooks): Promise<NodeHook> {
    const hook = repositoryHook();
    await post(hooks, hook);
    return hook;
  }

  async function maintain(hooks: RunningHooks, enable: boolean): Promise<void> {
    const { status } = await hooks.call('POST', `/admin/maintenance?enable=${enable}`);
    expect(status).toBe(204);
  }

  const runsAre = (hook: NodeHook, names: string[]) =>
    waitFor(() => JSON.stringify(refsOf(context, hook)) === JSON.stringify(names), {
      what: `runs of ${names.join(', ')}`,
    });

  it('stores deliveries, starts no run, and starts all in order when it ends', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    const hook = await withHook(hooks);
    expect((await hooks.status()).Maintenance).toBeUndefined();

    await maintain(hooks, true);
    await maintain(hooks, true);
    for (const name of NAMES) await push(hooks, hook, { push: name });
    await swept(context);
    expect(refsOf(context, hook)).toEqual([]);
    expect(await hooks.executions(hook.uuid)).toHaveLength(NAMES.length);
    expect((await hooks.status()).Maintenance).toEqual({
      status: 'WARN',
      value: 'deliveries are accepted and wait, nothing is processed',
    });

    await maintain(hooks, false);
    await maintain(hooks, false);
    await runsAre(hook, NAMES);
    await allDone(hooks, hook);
    expect((await hooks.status()).Maintenance).toBeUndefined();
    const told = lines.filter(({ msg }) => String(msg).startsWith('maintenance of CDS'));
    expect(told.map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'maintenance of CDS begins: deliveries are stored and wait'],
      [30, 'maintenance of CDS ends: stored deliveries are processed'],
    ]);
  });

  it('is one for all replicas and outlasts their restart', async () => {
    const first = await context.start();
    const hook = await withHook(first);
    await maintain(first, true);
    await first.service.stop(3_000);

    const { logger, lines } = captureLogger();
    const [second, third] = [await context.start({}, { logger }), await context.start()];
    await push(second, hook, { push: 'a' });
    await push(third, hook, { push: 'b' });
    await swept(context);
    expect(refsOf(context, hook)).toEqual([]);
    expect(lines.map(({ msg }) => msg)).toContain(
      'maintenance of CDS goes on: deliveries are stored and wait',
    );

    await maintain(third, false);
    await runsAre(hook, ['a', 'b']);
  });

  it('holds cleanups of deleted branches back', async () => {
    const hooks = await context.start();
    const hook = await withHook(hooks);
    await push(hooks, hook, { push: 'gone' });
    await push(hooks, hook, { deleted: 'gone' });
    const cleanup = await waitFor(
      async () => (await hooks.tasks()).find(({ type }) => type === 'BranchDeletion'),
      { what: 'the cleanup' },
    );

    await maintain(hooks, true);
    const due = await hooks.call('POST', `/admin/task/${(cleanup as Task).uuid}/due`);
    expect(due.status).toBe(200);
    await swept(context);
    const removals = () => context.api.calls.filter(({ method }) => method === 'DELETE');
    expect(removals()).toEqual([]);

    await maintain(hooks, false);
    await waitFor(() => removals().length === 1, { what: 'the removal of the runs' });
  });

  it('lets one time of a schedule wait, and leaves out those after it', async () => {
    const hooks = await context.start();
    await maintain(hooks, true);
    const config = { cron: '* * * * * * *', timezone: 'UTC', payload: '{}' };
    const hook = nodeHook('Scheduler', { ...config, project: 'PROJ', workflow: 'wf' });
    await post(hooks, hook);
    const dues = new Set<string>();
    await waitFor(
      async () => dues.add((await context.redisClient.zscore(KEYS.due, hook.uuid)) ?? '').size > 4,
      { what: 'four times that were due' },
    );
    expect(await context.redisClient.llen(hookKeys(hook.uuid).waiting)).toBe(1);

    await maintain(hooks, false);
    await waitFor(() => context.api.runs().length > 1, {
      what: 'the run that waited and the next',
    });
  });

  it('is begun and ended by true and false alone', async () => {
    const hooks = await context.start();
    for (const query of ['', '?enable=yes', '?enable=', '?enable=true&more=1']) {
      const { status, body } = await hooks.call('POST', `/admin/maintenance${query}`);
      expect([query, status, (body as { id: number }).id]).toEqual([query, 400, 74]);
    }
  });
});
