import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { NodeHook, TaskExecution } from '@cds/wire';
import { push, refsOf } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { events, hash, pushEvent } from '../../../test/polled';
import { pushDelivery } from '../../../test/pushes';

const ON = { reconcile: { intervalSeconds: 1 } };
const timing = { pollMs: 100 };
const HOUR_MS = 3_600_000;

describe('repository webhooks that are reconciled', () => {
  const context = useTestContext();

  const answers = ({ uuid }: NodeHook, of: Parameters<typeof events>[0], interval = '1') =>
    context.api.repositories.set(uuid, { events: events(of), interval });
  const refs = (hook: NodeHook) => refsOf(context, hook);
  const pollsAfter = async ({ uuid }: NodeHook, more = 2) => {
    const before = context.api.polls(uuid).length;
    await waitFor(() => context.api.polls(uuid).length >= before + more, { what: 'more polls' });
  };
  const worked = async (hooks: RunningHooks, { uuid }: NodeHook): Promise<TaskExecution[]> =>
    (await hooks.executions(uuid)).filter(({ status }) => status !== 'SCHEDULED');
  const allDone = (hooks: RunningHooks, hook: NodeHook, count: number) =>
    waitFor(async () => {
      const all = await worked(hooks, hook);
      return all.length === count && all.every(({ status }) => status === 'DONE');
    });
  const cleanups = async (hooks: RunningHooks) =>
    (await hooks.tasks())
      .filter(({ type }) => type === 'BranchDeletion')
      .map(({ config }) => config?.branch?.value);
  const nothingElse = async (hook: NodeHook) => {
    answers(hook, {});
    await pollsAfter(hook);
  };

  it('run for a push whose webhook never came, and a late delivery of it leads to nothing', async () => {
    const hooks = await context.start(ON, { timing });
    const hook = repositoryHook();
    const pushed = { pushes: [pushEvent('main', hash('a')), pushEvent('refs/tags/v1', hash('c'))] };
    answers(hook, { ...pushed, waitingSince: [pushEvent('fix', hash('b'))] });
    await post(hooks, hook);
    await waitFor(() => refs(hook).length === 2);
    const [run] = context.api.runs();
    expect(run?.hook.payload).toMatchObject({
      'git.branch': 'main',
      'git.hash': hash('a'),
      'git.hash.before': '',
      'git.repository': 'jdoe/repo-0',
    });

    // What else the late delivery brings is done.
    const late = pushDelivery({ push: 'main', hash: hash('a') }, { push: 'other' });
    expect((await hooks.webhook(hook.uuid, late)).status).toBe(200);
    await waitFor(() => refs(hook).length === 3);
    await push(hooks, hook, { push: 'main', hash: hash('a'), before: hash('d') });
    await waitFor(() => refs(hook).length === 4);
    await allDone(hooks, hook, 4);

    // A delivery is left out for a poll once: the second one is another push.
    expect(refs(hook)).toEqual(['main', 'v1', 'other', 'main']);
    const [second, first] = await worked(hooks, hook);
    expect(first?.last_error).toMatch(/^nothing to do: it was found by a poll before/);
    expect(second?.last_error).toBeUndefined();
    expect((await hooks.status())['Polls']?.value).toBe('1');
  });

  it('ignore a change that a delivery held, in whatever order both come', async () => {
    const hooks = await context.start(ON, { timing });
    const hook = repositoryHook();
    answers(hook, {});
    await post(hooks, hook);
    await push(hooks, hook, { push: 'main', hash: hash('a') });
    await waitFor(() => refs(hook).length === 1);
    answers(hook, { pushes: [pushEvent('main', hash('a'))] });
    await pollsAfter(hook);
    expect(await worked(hooks, hook)).toHaveLength(1);

    // Both wait while the API refuses runs: the delivery came first.
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { html: 502 } : 'ok');
    await push(hooks, hook, { push: 'two', hash: hash('b') });
    answers(hook, { pushes: [pushEvent('two', hash('b'))] });
    await waitFor(async () => (await worked(hooks, hook)).length === 3);
    context.api.behave = () => 'ok';
    await allDone(hooks, hook, 3);
    expect(refs(hook)).toEqual(['main', 'two']);
    expect((await worked(hooks, hook))[0]?.last_error).toMatch(/its webhook came/);

    // And the poll first.
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { html: 502 } : 'ok');
    answers(hook, { pushes: [pushEvent('three', hash('c'))] });
    await waitFor(async () => (await worked(hooks, hook)).length === 4);
    await push(hooks, hook, { push: 'three', hash: hash('c') });
    context.api.behave = () => 'ok';
    await allDone(hooks, hook, 5);
    expect(refs(hook)).toEqual(['main', 'two', 'three']);
  });

  it('try by a late delivery what the API refused to the poll', async () => {
    const hooks = await context.start({ ...ON, retryError: 1 }, { timing });
    const hook = repositoryHook();
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { refuse: 403, id: 3 } : 'ok');
    answers(hook, { pushes: [pushEvent('main', hash('a'))] });
    await post(hooks, hook);
    await allDone(hooks, hook, 1);
    context.api.behave = () => 'ok';
    await push(hooks, hook, { push: 'main', hash: hash('a') });
    await waitFor(() => refs(hook).length === 1);
    await nothingElse(hook);
    expect(await worked(hooks, hook)).toHaveLength(2);
  });

  it('remove the runs of a branch whose deletion was never delivered, unless it is back', async () => {
    const hooks = await context.start(ON, { timing });
    const hook = repositoryHook();
    answers(hook, { deleted: ['gone', 'refs/tags/old'] });
    await post(hooks, hook);
    await waitFor(async () => (await cleanups(hooks)).length === 1);
    expect(await cleanups(hooks)).toEqual(['gone']);
    await nothingElse(hook);
    await push(hooks, hook, { deleted: 'gone' });
    await allDone(hooks, hook, 2);
    expect((await worked(hooks, hook))[0]?.last_error).toMatch(/found by a poll/);

    await push(hooks, hook, { push: 'gone', hash: hash('a') });
    await waitFor(async () => (await cleanups(hooks)).length === 0);
    // Deleted once more: not the deletion from before.
    answers(hook, { deleted: ['gone'] });
    await waitFor(async () => (await cleanups(hooks)).length === 1);
    expect(refs(hook)).toEqual(['gone']);
  });

  it('keep the runs of a branch that was pushed while the poll was under way', async () => {
    const hooks = await context.start(ON, { timing });
    const hook = repositoryHook();
    answers(hook, { deleted: ['back'] });
    let asked = 0;
    let answer: () => void = () => undefined;
    const after = new Promise<void>((resolve) => (answer = resolve));
    context.api.behave = ({ url }) =>
      url.includes('/vcsevent/') && asked++ === 0 ? { after } : 'ok';
    await post(hooks, hook);
    await waitFor(() => asked === 1);
    await push(hooks, hook, { push: 'back', hash: hash('a') });
    await allDone(hooks, hook, 1);

    answer();
    await allDone(hooks, hook, 2);

    expect((await worked(hooks, hook))[0]?.last_error).toMatch(/pushed again meanwhile/);
    expect(await cleanups(hooks)).toEqual([]);
  });

  it('forget what is older than two days, and more than a thousand changes', async () => {
    const hooks = await context.start(ON, { timing });
    const hook = repositoryHook();
    const { changes } = hookKeys(hook.uuid);
    answers(hook, {});
    await post(hooks, hook);
    const old = (Date.now() - 49 * HOUR_MS) * 1_000;
    await context.redisClient.hset(changes, {
      [`refs/heads/main@${hash('a').slice(0, 12)}`]: `polled:${old}`,
      [`refs/heads/two@${hash('b').slice(0, 12)}`]: `delivered:${old}`,
    });
    await push(hooks, hook, { push: 'main', hash: hash('a') });
    answers(hook, { pushes: [pushEvent('two', hash('b'))] });
    await waitFor(() => refs(hook).length === 2);
    expect(refs(hook).toSorted()).toEqual(['main', 'two']);

    // Looked through after each hundredth.
    const fill = async (total: number, at: (i: number) => number) => {
      const missing = total - (await context.redisClient.hlen(changes));
      const many = Array.from({ length: missing }, (_, i) => [
        `refs/heads/b${total}-${i}@x`,
        `polled:${at(i + 1)}`,
      ]);
      await context.redisClient.hset(changes, Object.fromEntries(many));
    };
    await fill(1_299, (i) => i);
    await push(hooks, hook, { push: 'three', hash: hash('c') });
    await waitFor(async () => (await context.redisClient.hlen(changes)) === 1_000);
    // Those of the last hour stay: the next poll gets them again.
    await fill(2_599, (i) => Date.now() * 1_000 + i);
    await push(hooks, hook, { push: 'four', hash: hash('d') });
    await waitFor(async () => (await context.redisClient.hlen(changes)) < 2_599);
    expect(await context.redisClient.hlen(changes)).toBeGreaterThan(1_599);
    expect(
      await context.redisClient.hget(changes, `refs/heads/three@${hash('c').slice(0, 12)}`),
    ).toMatch(/^delivered:/);

    await hooks.call('DELETE', `/task/${hook.uuid}`);
    expect(await context.redisClient.exists(changes)).toBe(0);
  });

  it('end being polled when it is switched off, and then cost nothing', async () => {
    const hook = repositoryHook();
    const on = await context.start(ON, { timing });
    answers(hook, {});
    await post(on, hook);
    await pollsAfter(hook, 1);
    await on.service.stop(2_000);
    context.api.hooks = [hook];

    const off = await context.start({}, { timing });
    await waitFor(async () => (await context.redisClient.zcard(KEYS.polls)) === 0);
    const before = context.api.polls(hook.uuid).length;
    await push(off, hook, { push: 'main', hash: hash('a') });
    await waitFor(() => refs(hook).length === 1);

    expect(context.api.polls(hook.uuid)).toHaveLength(before);
    expect(await context.redisClient.exists(hookKeys(hook.uuid).changes)).toBe(0);
    expect((await off.executions(hook.uuid)).map(({ status }) => status)).toEqual(['DONE']);
  });
});
