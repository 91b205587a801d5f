import { cleanupKey, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { allDone, refsOf } from '../../../test/deliveries';
import { repositoryHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import { type Change, pushDelivery } from '../../../test/pushes';

const soon = (delaySeconds: number) => ({ branchDeletion: { delaySeconds } });
const PATH = '/project/PROJ/workflows/wf1/runs/branch/';
const A = 'a'.repeat(40);

describe('cleanups of a workflow with several hooks', () => {
  const context = useTestContext();

  async function pushTo(
    hooks: RunningHooks,
    hook: NodeHook,
    repository: string,
    ...changes: Change[]
  ): Promise<void> {
    const request = pushDelivery(...changes);
    const body = JSON.parse(String(request.body)) as { repository: { full_name: string } };
    body.repository.full_name = repository;
    const response = await hooks.webhook(hook.uuid, { ...request, body: JSON.stringify(body) });
    expect(response.status).toBe(200);
  }

  const hasCleanups = (count: number) =>
    waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === count, {
      what: `${count} cleanups`,
    });

  async function makeDue(): Promise<void> {
    for (const id of await context.redisClient.zrange(KEYS.cleanups, 0, '-1')) {
      await context.redisClient.hset(cleanupKey(id), 'due', Date.now());
      await context.redisClient.zadd(KEYS.cleanups, Date.now(), id);
    }
  }

  it('are cancelled by a push at any of them, also where the repository was renamed meanwhile', async () => {
    const hooks = await context.start();
    const [first, second] = [repositoryHook(), repositoryHook({ repoFullName: 'jdoe/renamed' })];
    await post(hooks, first, second);
    await pushTo(hooks, first, 'jdoe/repo-0', { deleted: 'dev' });
    await hasCleanups(1);
    await pushTo(hooks, second, 'jdoe/renamed', { push: 'dev' });
    await hasCleanups(0);
  });

  it('leave a branch that lives in another repository, until it is deleted there, too', async () => {
    const hooks = await context.start(soon(1));
    const first = repositoryHook();
    const second = repositoryHook({ repoFullName: 'jdoe/other' });
    await post(hooks, first, second);
    await pushTo(hooks, first, 'jdoe/repo-0', { push: 'dev', hash: A }, { push: 'gone' });
    await pushTo(hooks, second, 'jdoe/other', { push: 'dev', hash: A });
    await waitFor(() => refsOf(context).length === 3);
    await pushTo(hooks, first, 'jdoe/repo-0', { deleted: 'gone' }, { deleted: 'dev', hash: A });
    await waitFor(() => context.api.deletions().length === 1);
    await hasCleanups(0);
    expect(context.api.deletions()).toEqual([`${PATH}gone`]);

    await pushTo(hooks, second, 'jdoe/other', { deleted: 'dev', hash: A });
    await waitFor(() => context.api.deletions().length === 2);
    expect(context.api.deletions()[1]).toBe(`${PATH}dev`);
    await hasCleanups(0);
  });

  it('leave it also among those that are done together', async () => {
    const hooks = await context.start();
    const first = repositoryHook();
    const second = repositoryHook({ repoFullName: 'jdoe/other' });
    await post(hooks, first, second);
    await pushTo(hooks, second, 'jdoe/other', { push: 'b' });
    await allDone(hooks, second);
    const branches = ['a', 'b', 'c', 'd'];
    await pushTo(hooks, first, 'jdoe/repo-0', ...branches.map((deleted) => ({ deleted })));
    await hasCleanups(4);
    await makeDue();
    await hasCleanups(0);
    expect(context.api.deletions().sort()).toEqual(['a', 'c', 'd'].map((name) => PATH + name));
  });

  it('go by the deletion where two hooks are of the same repository', async () => {
    const hooks = await context.start(soon(1));
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    // The deletion comes to one of them alone: the other one missed it.
    await pushTo(hooks, second, 'jdoe/repo-0', { push: 'dev', hash: A });
    await pushTo(hooks, first, 'jdoe/repo-0', { push: 'dev', hash: A });
    await waitFor(() => refsOf(context).length === 2);
    await pushTo(hooks, first, 'jdoe/repo-0', { deleted: 'dev', hash: A });
    await waitFor(() => context.api.deletions().length === 1);
  });
});
