import { hookKeys, KEYS } from '@cds/hooks-store';
import { waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { Redis } from 'ioredis';
import { deliver, push, refsOf } from '../../test/deliveries';
import {
  post,
  repositoryHook,
  type RunningHooks,
  startWorld,
  type World,
} from '../../test/harness';
import { pushDelivery } from '../../test/pushes';

const OF_HOOK = Object.keys(hookKeys('')) as (keyof ReturnType<typeof hookKeys>)[];
const OF_ALL = ['pending', 'heads', 'stoppedHeads', 'failed', 'waitingTotal'] as const;
const DAMAGES = ['a list', 'text', 'a sorted set'] as const;
type Damage = (typeof DAMAGES)[number];

describe('a delivery that Redis cannot store since a key holds something else', () => {
  let world: World;
  let redis: Redis;

  beforeAll(async () => {
    world = await startWorld();
    redis = new Redis(world.redis.url);
  });
  beforeEach(() => world.reset());
  afterAll(async () => {
    redis.disconnect();
    await world.end();
  });

  async function put(key: string, damage: Damage): Promise<void> {
    if (damage === 'a list') await redis.rpush(key, 'x{');
    if (damage === 'text') await redis.set(key, 'x{');
    if (damage === 'a sorted set') await redis.zadd(key, 1, 'x{');
  }

  /** A hook that had a push, so that all of its keys are there. */
  async function usedHook(hooks: RunningHooks): Promise<NodeHook> {
    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { push: 'before' });
    await waitFor(() => refsOf(world, hook).length === 1);
    await waitFor(async () => (await redis.llen(hookKeys(hook.uuid).waiting)) === 0);
    return hook;
  }

  it.each(DAMAGES)('is run where a key of its hook holds %s', async (damage) => {
    const hooks = await world.start();
    for (const name of OF_HOOK) {
      const hook = await usedHook(hooks);
      const key = hookKeys(hook.uuid)[name];
      await redis.del(key);
      await put(key, damage);
      const request = pushDelivery({ push: name });
      if (name === 'task') {
        // Not known before the API says what it is.
        expect((await hooks.webhook(hook.uuid, request)).status).toBeGreaterThanOrEqual(300);
        continue;
      }
      for (let time = 0; time < 2; time += 1)
        expect((await deliver(hooks, hook.uuid, request)).status).toBe(200);
      await waitFor(() => refsOf(world, hook).includes(name), { what: `the run (${name})` });
      expect(refsOf(world, hook)).toEqual(['before', name]);
    }
  });

  it.each(DAMAGES)('is run, sent again, where a key of all hooks held %s', async (damage) => {
    const hooks = await world.start();
    for (const name of OF_ALL) {
      const hook = await usedHook(hooks);
      const request = pushDelivery({ push: name }, { tag: `v-${name}` });
      const [key, kept] = [KEYS[name], `kept:${name}`];
      const isThere = (await redis.exists(key)) === 1;
      if (isThere) await redis.rename(key, kept);
      await put(key, damage);
      const statuses: number[] = [];
      // Bitbucket sends again what was not answered 2xx, and nothing else.
      for (let time = 0; time < 3 && !statuses.includes(200); time += 1)
        statuses.push((await hooks.webhook(hook.uuid, request)).status);
      await redis.del(key);
      if (isThere) await redis.rename(kept, key);
      if (!statuses.includes(200))
        expect((await deliver(hooks, hook.uuid, request)).status).toBe(200);

      const what = `the runs (${name}, ${statuses.join()})`;
      await waitFor(() => refsOf(world, hook).includes(`v-${name}`), { what });
      expect(refsOf(world, hook)).toEqual(['before', name, `v-${name}`]);
      await waitFor(async () => (await redis.get(KEYS.waitingTotal)) === '0', {
        what: `nothing to wait (${name})`,
      });
    }
  });
});
