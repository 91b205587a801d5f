import { cleanupId, cleanupKey, hookKeys, KEYS, olderCleanupId } from '@cds/hooks-store';
import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { Redis } from 'ioredis';
import { allDone, refsOf } from '../../../test/deliveries';
import {
  post,
  repositoryHook,
  type RunningHooks,
  startWorld,
  type World,
} from '../../../test/harness';
import { type Change, pushDelivery } from '../../../test/pushes';

const soon = (delaySeconds: number) => ({ branchDeletion: { delaySeconds } });
const OF = { project: 'PROJ', workflow: 'wf1', branch: 'dev' };
const PATH = '/project/PROJ/workflows/wf1/runs/branch/';
const A = 'a'.repeat(40);

describe('cleanups of a workflow with several hooks', () => {
  let world: World;
  let redis: Redis;

  beforeAll(async () => {
    world = await startWorld();
    redis = new Redis(world.redis.url);
  });
  beforeEach(() => world.reset());
  afterEach(() => {
    expect(world.api.violations).toEqual([]);
  });
  afterAll(async () => {
    redis.disconnect();
    await world.end();
  });

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
    waitFor(async () => (await redis.zcard(KEYS.cleanups)) === count, {
      what: `${count} cleanups`,
    });

  async function makeDue(): Promise<void> {
    for (const id of await redis.zrange(KEYS.cleanups, 0, '-1')) {
      await redis.hset(cleanupKey(id), 'due', Date.now());
      await redis.zadd(KEYS.cleanups, Date.now(), id);
    }
  }

  it('are cancelled by a push at any of them, also where the repository was renamed meanwhile', async () => {
    const hooks = await world.start();
    const [first, second] = [repositoryHook(), repositoryHook({ repoFullName: 'jdoe/renamed' })];
    await post(hooks, first, second);
    await pushTo(hooks, first, 'jdoe/repo-0', { deleted: 'dev' });
    await hasCleanups(1);
    await pushTo(hooks, second, 'jdoe/renamed', { push: 'dev' });
    await hasCleanups(0);
  });

  it('leave a branch that lives in another repository, until it is deleted there, too', async () => {
    const hooks = await world.start(soon(1));
    const first = repositoryHook();
    const second = repositoryHook({ repoFullName: 'jdoe/other' });
    await post(hooks, first, second);
    await pushTo(hooks, first, 'jdoe/repo-0', { push: 'dev', hash: A }, { push: 'gone' });
    await pushTo(hooks, second, 'jdoe/other', { push: 'dev', hash: A });
    await waitFor(() => refsOf(world).length === 3);
    await pushTo(hooks, first, 'jdoe/repo-0', { deleted: 'gone' }, { deleted: 'dev', hash: A });
    await waitFor(() => world.api.deletions().length === 1);
    await hasCleanups(0);
    expect(world.api.deletions()).toEqual([`${PATH}gone`]);

    await pushTo(hooks, second, 'jdoe/other', { deleted: 'dev', hash: A });
    await waitFor(() => world.api.deletions().length === 2);
    expect(world.api.deletions()[1]).toBe(`${PATH}dev`);
    await hasCleanups(0);
  });

  it('leave it also among those that are done together', async () => {
    const hooks = await world.start();
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
    expect(world.api.deletions().sort()).toEqual(['a', 'c', 'd'].map((name) => PATH + name));
  });

  it('go by the deletion where two hooks are of the same repository', async () => {
    const hooks = await world.start(soon(1));
    const [first, second] = [repositoryHook(), repositoryHook()];
    await post(hooks, first, second);
    // The deletion comes to one of them alone: the other one missed it.
    await pushTo(hooks, second, 'jdoe/repo-0', { push: 'dev', hash: A });
    await pushTo(hooks, first, 'jdoe/repo-0', { push: 'dev', hash: A });
    await waitFor(() => refsOf(world).length === 2);
    await pushTo(hooks, first, 'jdoe/repo-0', { deleted: 'dev', hash: A });
    await waitFor(() => world.api.deletions().length === 1);
  });

  it('are done, and cancelled, also as older versions kept them', async () => {
    const hooks = await world.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const keep = async (branch: string): Promise<string> => {
      const of = { ...OF, branch, repository: 'jdoe/repo-0' };
      const id = olderCleanupId(of);
      expect(id).not.toBe(cleanupId(of));
      const due = Date.now() + 86_400_000;
      const fields = { status: 'waiting', accepted: '1', hook: hook.uuid, ...of };
      await redis.hset(cleanupKey(id), { ...fields, due, nb_errors: 0, retry_at: 0, outages: 0 });
      await redis.hset(hookKeys(hook.uuid).hookCleanups, branch, id);
      await redis.zadd(KEYS.cleanups, due, id);
      return id;
    };
    await keep('back');
    await pushTo(hooks, hook, 'jdoe/repo-0', { push: 'back' });
    await hasCleanups(0);
    const again = await keep('again');
    await pushTo(hooks, hook, 'jdoe/repo-0', { deleted: 'again' });
    await waitFor(async () => (await redis.exists(cleanupKey(again))) === 0);
    await keep('gone');
    await hasCleanups(2);
    await makeDue();
    await hasCleanups(0);
    expect(world.api.deletions().sort()).toEqual([`${PATH}again`, `${PATH}gone`]);
  });
});
