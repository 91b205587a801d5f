import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { deliver, push, refsOf } from '../../test/deliveries';
import { repositoryHook } from '../../test/node-hooks';
import { post, type RunningHooks } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { pushDelivery } from '../../test/pushes';

const OF_HOOK = Object.keys(hookKeys('')) as (keyof ReturnType<typeof hookKeys>)[];
const OF_ALL = [
  'pending',
  'waitingSince',
  'stoppedWaitingSince',
  'failed',
  'waitingTotal',
] as const;
const DAMAGES = ['a list', 'text', 'a sorted set'] as const;
type Damage = (typeof DAMAGES)[number];

describe('a delivery that Redis cannot store since a key holds something else', () => {
  const context = useTestContext();

  async function put(key: string, damage: Damage): Promise<void> {
    if (damage === 'a list') await context.redisClient.rpush(key, 'x{');
    if (damage === 'text') await context.redisClient.set(key, 'x{');
    if (damage === 'a sorted set') await context.redisClient.zadd(key, 1, 'x{');
  }

  /** A hook that had a push, so that all of its keys are there. */
  async function usedHook(hooks: RunningHooks): Promise<NodeHook> {
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { push: 'before' });
    await waitFor(() => refsOf(context, hook).length === 1);
    await waitFor(async () => (await context.redisClient.llen(hookKeys(hook.uuid).waiting)) === 0);
    return hook;
  }

  it.each(DAMAGES)('is run where a key of its hook holds %s', async (damage) => {
    const hooks = await context.start();
    for (const name of OF_HOOK) {
      const hook = await usedHook(hooks);
      const key = hookKeys(hook.uuid)[name];
      await context.redisClient.del(key);
      await put(key, damage);
      const request = pushDelivery({ push: name });
      if (name === 'task') {
        // Not known before the API says what it is.
        expect((await hooks.webhook(hook.uuid, request)).status).toBeGreaterThanOrEqual(300);
        continue;
      }
      for (let time = 0; time < 2; time += 1)
        expect((await deliver(hooks, hook.uuid, request)).status).toBe(200);
      await waitFor(() => refsOf(context, hook).includes(name), { what: `the run (${name})` });
      expect(refsOf(context, hook)).toEqual(['before', name]);
    }
  });

  it.each(DAMAGES)('is run, sent again, where a key of all hooks held %s', async (damage) => {
    const hooks = await context.start();
    for (const name of OF_ALL) {
      const hook = await usedHook(hooks);
      const request = pushDelivery({ push: name }, { tag: `v-${name}` });
      const [key, kept] = [KEYS[name], `kept:${name}`];
      const isThere = (await context.redisClient.exists(key)) === 1;
      if (isThere) await context.redisClient.rename(key, kept);
      await put(key, damage);
      const statuses: number[] = [];
      // Bitbucket sends again what was not answered 2xx, and nothing else.
      for (let time = 0; time < 3 && !statuses.includes(200); time += 1)
        statuses.push((await hooks.webhook(hook.uuid, request)).status);
      await context.redisClient.del(key);
      if (isThere) await context.redisClient.rename(kept, key);
      if (!statuses.includes(200))
        expect((await deliver(hooks, hook.uuid, request)).status).toBe(200);

      const what = `the runs (${name}, ${statuses.join()})`;
      await waitFor(() => refsOf(context, hook).includes(`v-${name}`), { what });
      expect(refsOf(context, hook)).toEqual(['before', name, `v-${name}`]);
      await waitFor(async () => (await context.redisClient.get(KEYS.waitingTotal)) === '0', {
        what: `nothing to wait (${name})`,
      });
    }
  });
});
