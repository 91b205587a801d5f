import { createLostDeliveries } from '@cds/hooks-store';
import { KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import { allDone, deliver, push, refsOf } from '../../test/deliveries';
import { repositoryHook } from '../../test/node-hooks';
import { pushDelivery } from '../../test/pushes';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';

describe('an older copy of Redis that is restored while no hooks runs', () => {
  const context = useTestContext();

  /** Everything in Redis, as a backup has it. */
  async function copy(): Promise<() => Promise<void>> {
    const { redisClient: redis } = context;
    const keys = await redis.keys('*');
    const values = await Promise.all(
      keys.map(async (key) => ({
        key,
        value: await redis.dumpBuffer(key),
        ttl: Math.max(0, await redis.pttl(key)),
      })),
    );
    return async () => {
      await redis.flushall();
      for (const { key, value, ttl } of values)
        if (value !== null) await redis.restore(key, ttl, value);
    };
  }

  it('repeats what waited then, forgets what came since, and reads hooks from the API', async () => {
    const before = await context.start();
    const [hook, stopped, made] = [repositoryHook(), repositoryHook(), repositoryHook()];
    context.api.hooks = [hook, stopped];
    await post(before, hook, stopped);
    const known = pushDelivery({ push: 'known' });
    await deliver(before, hook.uuid, known);
    await allDone(before, hook);
    // It waits when the copy is made, and runs later.
    await before.call('GET', `/task/${stopped.uuid}/stop`);
    await push(before, stopped, { push: 'waits' });
    await push(before, hook, { deleted: 'back' });
    await waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === 1);
    await allDone(before, hook);
    const restore = await copy();

    await before.call('GET', `/task/${stopped.uuid}/start`);
    await waitFor(() => refsOf(context, stopped).length === 1);
    const since = pushDelivery({ push: 'since' });
    await deliver(before, hook.uuid, since);
    // A push cancels the cleanup of its branch.
    await push(before, hook, { push: 'back' });
    await waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === 0);
    context.api.hooks = [hook, stopped, made];
    await post(before, made);
    await allDone(before, hook);
    await before.service.stop(3_000);
    expect(refsOf(context)).toEqual(expect.arrayContaining(['known', 'waits', 'since', 'back']));
    expect(refsOf(context)).toHaveLength(4);

    await restore();
    const after = await context.start();
    // The API is let in once this service is registered.
    await waitFor(
      async () => (await after.call('GET', `/task/${stopped.uuid}/start`)).status < 300,
      {
        what: 'the task to be started',
      },
    );
    await waitFor(() => refsOf(context, stopped).length === 2, { what: 'the run of the copy' });

    // What was accepted before the copy is known, what came since is not.
    await deliver(after, hook.uuid, known);
    expect((await deliver(after, hook.uuid, since)).status).toBe(200);
    await waitFor(() => refsOf(context, hook).filter((ref) => ref === 'since').length === 2);
    expect(refsOf(context, hook).filter((ref) => ref === 'known')).toHaveLength(1);
    // The cleanup is scheduled again, although its branch is back.
    expect(await context.redisClient.zcard(KEYS.cleanups)).toBe(1);
    expect((await createLostDeliveries({ redis: context.redisClient }).count())?.lost).toBe(0);
    // A hook that was made since is read from the API.
    await push(after, made, { push: 'made' });
    await waitFor(() => refsOf(context, made).length === 1);
    expect((await after.status())['State']).toMatchObject({ status: 'OK' });
  });
});
