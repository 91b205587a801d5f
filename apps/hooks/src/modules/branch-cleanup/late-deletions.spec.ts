import { cleanupKey, hookKeys, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { allDone, execution, push, refsOf } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);

describe('a deletion that arrives out of its order', () => {
  const context = useTestContext();
  let hooks: RunningHooks;
  let hook: NodeHook;

  beforeEach(async () => {
    hooks = await context.start();
    hook = repositoryHook();
    await post(hooks, hook);
  });

  const cleanups = () => context.redisClient.zrange(KEYS.cleanups, 0, '-1');

  it('counts for nothing when the branch was pushed anew: it names another commit', async () => {
    await push(hooks, hook, { push: 'dev', hash: A });
    await push(hooks, hook, { push: 'dev', hash: B });
    await push(hooks, hook, { deleted: 'dev', hash: A }, { push: 'other' });
    await allDone(hooks, hook);

    expect(await cleanups()).toEqual([]);
    expect(refsOf(context)).toEqual(['dev', 'dev', 'other']);
    const late = await execution(hooks, hook, 2);
    expect(late.last_error).toContain('nothing to do for dev: the branch was pushed to after');
    await push(hooks, hook, { deleted: 'dev', hash: B });
    await waitFor(async () => (await cleanups()).length === 1);
  });

  it('counts for nothing when its commit is unknown: a push was lost, or the branch is back', async () => {
    await push(hooks, hook, { push: 'dev', hash: A });
    // Either B was pushed to the same branch and not delivered, or this is about a branch before
    // it.
    await push(hooks, hook, { deleted: 'dev', hash: B }, { push: 'other' });
    await allDone(hooks, hook);

    expect(await cleanups()).toEqual([]);
    const { last_error } = await execution(hooks, hook, 1);
    expect(last_error).toContain('if a push was never delivered and the branch is gone');
    // Whatever tells of that commit, as a look of `reconcile` does, makes its deletion count.
    await push(hooks, hook, { push: 'dev', before: A, hash: B });
    await push(hooks, hook, { deleted: 'dev', hash: B });
    await waitFor(async () => (await cleanups()).length === 1);
  });

  it('counts when it names the last commit, and when nothing is known of the branch', async () => {
    await push(hooks, hook, { push: 'dev', hash: A }, { push: 'dev', hash: B, before: A });
    await push(hooks, hook, { deleted: 'dev', hash: B }, { deleted: 'unknown', hash: C });
    await waitFor(async () => (await cleanups()).length === 2);
  });

  it('counts again when the last push is two days old: what came since was lost', async () => {
    await push(hooks, hook, { push: 'dev', hash: A });
    await allDone(hooks, hook);
    const { refs } = hookKeys(hook.uuid);
    const now = Date.now() * 1_000;
    await context.redisClient.hset(
      refs,
      'refs/heads/dev',
      `>${A.slice(0, 12)}:${now - 49 * 3_600_000_000}`,
    );
    await push(hooks, hook, { deleted: 'dev', hash: B });
    await waitFor(async () => (await cleanups()).length === 1);
  });

  it('is not undone by a push from before it that arrives later', async () => {
    await push(hooks, hook, { push: 'dev', hash: A });
    await push(hooks, hook, { deleted: 'dev', hash: A });
    await waitFor(async () => (await cleanups()).length === 1);
    await push(hooks, hook, { push: 'dev', before: C, hash: A });
    await waitFor(() => refsOf(context).length === 2);
    await allDone(hooks, hook);
    expect(await cleanups()).toHaveLength(1);
    // Nor when it still waits while the cleanup is due.
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await push(hooks, hook, { push: 'dev', before: B, hash: A });
    const [id = ''] = await cleanups();
    await context.redisClient.hset(cleanupKey(id), 'due', Date.now());
    await context.redisClient.zadd(KEYS.cleanups, Date.now(), id);
    await waitFor(() => context.api.deletions().length === 1);
  });

  it('is undone by the push that makes the branch anew, also of the same commit', async () => {
    await push(hooks, hook, { push: 'dev', hash: A });
    await push(hooks, hook, { deleted: 'dev', hash: A });
    await waitFor(async () => (await cleanups()).length === 1);
    await push(hooks, hook, { push: 'dev', hash: A });
    await waitFor(async () => (await cleanups()).length === 0);
  });

  it('schedules no cleanup where it is of a tag', async () => {
    await push(hooks, hook, { tag: 'v1' }, { deletedTag: 'v1' });
    await push(hooks, hook, { tag: 'v1' });
    await waitFor(() => refsOf(context).length === 2);
    expect(await cleanups()).toEqual([]);
  });
});
