import { cleanupKey, hookKeys, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { ApiCall, Misbehaviour } from '../../../test/cds-api';
import { TOKEN } from '../../../test/cds-api-stand-in';
import { allDone, execution, push, refsOf } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';

const soon = (delaySeconds: number) => ({ branchDeletion: { delaySeconds } });

describe('a removal of runs of which nobody knows what became', () => {
  const context = useTestContext();

  /**
   * Removals and runs that the API was asked for, as it came to them: also of those that had no
   * answer.
   */
  function asked(ofRemovals: (nth: number, call: ApiCall) => Misbehaviour): string[] {
    const calls: string[] = [];
    let removals = 0;
    context.api.behave = (call) => {
      const { method, url } = call;
      if (method === 'POST' && url.endsWith('/runs')) calls.push('run');
      if (method !== 'DELETE') return 'ok';
      calls.push('removal');
      removals += 1;
      return ofRemovals(removals, call);
    };
    return calls;
  }

  const done = () =>
    context.api.calls
      .filter(({ url }) => url.includes('/runs'))
      .map(({ method }) => (method === 'DELETE' ? 'removal' : 'run'));

  async function cleanupIds(count: number): Promise<string[]> {
    return waitFor(
      async () => {
        const ids = await context.redisClient.zrange(KEYS.cleanups, 0, '-1');
        return ids.length === count ? ids : undefined;
      },
      { what: `${count} cleanups` },
    );
  }

  async function isUnsure(id: string | undefined): Promise<boolean> {
    const marks = await context.redisClient.hmget(cleanupKey(id ?? ''), 'under_way', 'unsure');
    return marks[0] === null && marks[1] === '1';
  }

  it('is waited for longer than for other calls: its answer decides, and the push that came has its run', async () => {
    const hooks = await context.start({
      ...soon(0),
      api: {
        ...{ url: context.api.url, insecure: false, token: TOKEN },
        ...{ requestTimeoutSeconds: 0.5, maxHeartbeatFailures: 10 },
      },
    });
    const hook = repositoryHook();
    await post(hooks, hook);
    const calls = asked(() => ({ delayMs: 1_500 }));
    await push(hooks, hook, { deleted: 'dev' });
    await waitFor(() => calls.length === 1);
    await push(hooks, hook, { push: 'dev' });

    await waitFor(() => refsOf(context).length === 1);
    expect(done()).toEqual(['removal', 'run']);
    await cleanupIds(0);
  });

  it.each<[string, Misbehaviour]>([
    ['its connection drops', 'drop'],
    ['it is done and its answer is lost', 'do and drop'],
    ['it is done when nobody listens any more', { dropThenDoMs: 400 }],
    ['a proxy answers for the API', { html: 504 }],
  ])(
    'keeps a push waiting until it was answered when asked again: %s',
    async (_name, misbehaviour) => {
      const hooks = await context.start({ ...soon(0), retryDelaySeconds: 2 });
      const [first, second] = [repositoryHook(), repositoryHook()];
      await post(hooks, first, second);
      let isHealthy = false;
      const calls = asked(() => (isHealthy ? 'ok' : misbehaviour));
      await push(hooks, first, { deleted: 'dev' });
      const [id] = await cleanupIds(1);
      await waitFor(() => isUnsure(id), { what: 'the removal to be unsure' });
      for (const hook of [first, second]) await push(hooks, hook, { push: 'dev' });
      const waits = async () =>
        (await execution(hooks, second)).last_error?.includes('has not said yet') ?? false;
      await waitFor(waits, { what: 'the push to wait' });
      await push(hooks, second, { push: 'main' });
      await waitFor(() => calls.length >= 3, { what: 'the API to be asked again' });
      expect(calls).not.toContain('run');

      isHealthy = true;
      await waitFor(() => refsOf(context).length === 3, { what: 'the runs' });
      expect(calls.slice(0, -3)).not.toContain('run');
      expect(calls.slice(-3)).toEqual(['run', 'run', 'run']);
      expect(refsOf(context, second)).toEqual(['dev', 'main']);
      await cleanupIds(0);
      await allDone(hooks, second);
      expect(await execution(hooks, second)).toMatchObject({ nb_errors: 0 });
    },
  );

  it('is not answered by a 500 to the call that repeats it: the first may still be carried out', async () => {
    const hooks = await context.start({ ...soon(0), retryDelaySeconds: 1, retryError: 50 });
    const hook = repositoryHook();
    await post(hooks, hook);
    let isHealthy = false;
    const calls = asked((nth) =>
      nth === 1 ? { dropThenDoMs: 400 } : isHealthy ? 'ok' : { refuse: 500 },
    );
    await push(hooks, hook, { deleted: 'dev' });
    const [id] = await cleanupIds(1);
    await waitFor(() => isUnsure(id), { what: 'the removal to be unsure' });
    await push(hooks, hook, { push: 'dev' });
    await waitFor(
      async () => Number(await context.redisClient.hget(cleanupKey(id ?? ''), 'nb_errors')) >= 2,
      {
        what: 'the API to refuse twice',
      },
    );
    expect(await context.redisClient.hget(cleanupKey(id ?? ''), 'unsure')).toBe('1');
    expect(calls).not.toContain('run');

    isHealthy = true;
    await waitFor(() => refsOf(context).length === 1, { what: 'the run' });
    expect(calls.slice(-2)).toEqual(['removal', 'run']);
  });

  it('is asked for again by who takes over from a worker that died, although the branch is back', async () => {
    const hooks = await context.start();
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    await push(hooks, first, { deleted: 'dev' });
    const [id = ''] = await cleanupIds(1);
    await waitFor(async () => (await context.redisClient.exists(hookKeys(first.uuid).owner)) === 0);
    await context.redisClient.set(hookKeys(first.uuid).owner, 'a worker/that died');
    await context.redisClient.hset(cleanupKey(id), {
      under_way: `${first.uuid} a worker/that died`,
    });
    await context.redisClient.zadd(KEYS.cleanups, Date.now(), id);

    await push(hooks, second, { push: 'dev' });
    await waitFor(() => refsOf(context).length === 1, { what: 'the run' });
    expect(done()).toEqual(['removal', 'run']);
    await cleanupIds(0);
  });

  it('holds nobody back when nothing was sent: the push cancels it', async () => {
    const hooks = await context.start({ retryDelaySeconds: 1 });
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { deleted: 'dev' });
    const [id = ''] = await cleanupIds(1);
    await context.api.stop();
    await context.redisClient.hset(cleanupKey(id), 'due', Date.now());
    await context.redisClient.zadd(KEYS.cleanups, Date.now(), id);
    await waitFor(
      async () => Number(await context.redisClient.hget(cleanupKey(id), 'outages')) > 0,
    );
    expect(await context.redisClient.hmget(cleanupKey(id), 'under_way', 'unsure')).toEqual([
      null,
      null,
    ]);
    await push(hooks, hook, { push: 'dev' });
    await waitFor(async () => (await context.redisClient.exists(cleanupKey(id))) === 0);

    await context.api.start();
    await waitFor(() => refsOf(context).length === 1);
    expect(done()).toEqual(['run']);
  });

  it('is unsure until an answer, also when nothing was sent the second time', async () => {
    const hooks = await context.start({ ...soon(0), retryDelaySeconds: 1 });
    const hook = repositoryHook();
    await post(hooks, hook);
    asked(() => 'drop');
    await push(hooks, hook, { deleted: 'dev' });
    const [id = ''] = await cleanupIds(1);
    await waitFor(() => isUnsure(id));
    const outages = async () => Number(await context.redisClient.hget(cleanupKey(id), 'outages'));
    await context.api.stop();
    const before = await outages();
    await waitFor(async () => (await outages()) > before + 1);
    expect(await isUnsure(id)).toBe(true);
    await push(hooks, hook, { push: 'dev' });
    const calls = asked(() => 'ok');
    await context.api.start();

    await waitFor(() => refsOf(context).length === 1);
    expect(calls).toEqual(['removal', 'run']);
  });

  it('is asked for again soon when the branch is deleted once more, and that deletion has its time', async () => {
    const hooks = await context.start({ ...soon(0), retryDelaySeconds: 1 });
    const hook = repositoryHook();
    await post(hooks, hook);
    let isHealthy = false;
    const calls = asked(() => (isHealthy ? 'ok' : 'drop'));
    await push(hooks, hook, { deleted: 'dev' });
    const [id = ''] = await cleanupIds(1);
    await waitFor(() => isUnsure(id));
    const due = Date.now() + 86_400_000;
    await context.redisClient.hset(cleanupKey(id), { due, accepted: `${Date.now()}000` });
    isHealthy = true;
    await waitFor(() => done().length === 1, { what: 'the removal' });

    await waitFor(
      async () => (await context.redisClient.zscore(KEYS.cleanups, id)) === String(due),
    );
    expect(await context.redisClient.hmget(cleanupKey(id), 'under_way', 'unsure')).toEqual([
      null,
      null,
    ]);
    await push(hooks, hook, { push: 'dev' });
    await waitFor(() => refsOf(context).length === 1);
    expect(calls.at(-1)).toBe('run');
    await cleanupIds(0);
  });

  it('keeps a push no longer when an operator removes or stops the cleanup', async () => {
    const hooks = await context.start({ ...soon(0), retryDelaySeconds: 600 });
    const hook = repositoryHook();
    await post(hooks, hook);
    asked(() => 'drop');
    await push(hooks, hook, { deleted: 'a' }, { deleted: 'b' });
    const ids = await cleanupIds(2);
    for (const id of ids) await waitFor(() => isUnsure(id));
    await push(hooks, hook, { push: 'a' });
    await push(hooks, hook, { push: 'b' });
    const waits = async () =>
      (await execution(hooks, hook, 1)).last_error?.includes('has not said yet') ?? false;
    await waitFor(waits, { what: 'the push to wait' });
    const [stopped = '', removed = ''] = ids;
    expect((await hooks.call('GET', `/task/${stopped}/stop`)).status).toBe(204);
    expect((await hooks.call('DELETE', `/task/${removed}`)).status).toBe(204);

    await waitFor(() => refsOf(context).length === 2);
    expect(refsOf(context)).toEqual(['a', 'b']);
  });

  it('is that of one of those that are done together alone: the others were not asked for', async () => {
    const hooks = await context.start({ retryDelaySeconds: 600 });
    const hook = repositoryHook();
    await post(hooks, hook);
    const branches = ['a', 'b', 'c', 'd'];
    await push(hooks, hook, ...branches.map((deleted) => ({ deleted })));
    const ids = await cleanupIds(4);
    const calls = asked(() => 'drop');
    const due = Date.now() + 300;
    for (const id of ids) await context.redisClient.hset(cleanupKey(id), 'due', due);
    await context.redisClient.zadd(KEYS.cleanups, ...ids.flatMap((id) => [due, id]));
    await waitFor(async () => {
      const outages = await Promise.all(
        ids.map((id) => context.redisClient.hget(cleanupKey(id), 'outages')),
      );
      return outages.some((count) => Number(count) > 0);
    });
    await waitFor(async () => (await context.redisClient.exists(hookKeys(hook.uuid).owner)) === 0);
    const unsure = await Promise.all(ids.map(isUnsure));
    expect(unsure.filter(Boolean).length).toBeLessThanOrEqual(calls.length);
    const marks = await Promise.all(
      ids.map((id) => context.redisClient.hexists(cleanupKey(id), 'under_way')),
    );
    expect(marks).toEqual([0, 0, 0, 0]);
  });
});
