import { silentLogger, waitFor } from '@cds/testing';
import type { Task } from '@cds/wire';
import { Redis } from 'ioredis';
import { push } from '../../test/deliveries';
import { hooksConfig, post, repositoryHook, startWorld, type World } from '../../test/harness';
import { apiKnows, startTarget, type Target, webhookRun } from '../../test/outgoing';
import { createDrainQueue } from '../executions/drain-queue';
import { drainJobId } from '../executions/job-ids';

const MOST = 100;
const MORE = 3;

describe('outgoing hooks whose targets do not answer', () => {
  let world: World;
  let target: Target;
  let redis: Redis;

  beforeAll(async () => {
    world = await startWorld();
    target = await startTarget();
    redis = new Redis(world.redis.port, '127.0.0.1');
  });
  afterAll(async () => {
    redis.disconnect();
    target.stop();
    await world.end();
  });

  it('are called 100 at once by a process; the others wait, and deliveries do not', async () => {
    const { outgoing } = hooksConfig(world.redis, world.api.url, 0);
    const hooks = await world.start({ outgoing: { ...outgoing, timeoutSeconds: 600 } });
    const held: (() => void)[] = [];
    target.answer = (_, response) => void held.push(() => response.end());
    const uuids = new Map<string, string>();
    for (let i = 0; i < MOST + MORE; i += 1) {
      const path = `/${i}`;
      const run = webhookRun(target, { URL: target.url + path });
      apiKnows(world, run);
      const { body } = await hooks.call('POST', '/task/execute', run);
      uuids.set(path, (body as Task).uuid);
    }

    await waitFor(() => held.length >= MOST);
    const called = new Set(target.received.map(({ url }) => url));
    const others = [...uuids].flatMap(([path, uuid]) => (called.has(path) ? [] : [uuid]));
    expect(others).toHaveLength(MORE);
    // A job that pauses was looked at, and its target was not called.
    const jobs = createDrainQueue({ redis, logger: silentLogger() });
    for (const uuid of others)
      await waitFor(async () => (await jobs.queue.getJob(drainJobId(uuid)))?.isDelayed() ?? false, {
        what: 'a hook that waits for its turn',
      });
    await jobs.close();
    expect(held).toHaveLength(MOST);

    const hook = repositoryHook();
    await post(hooks, hook);
    await push(hooks, hook, { push: 'main' });
    await waitFor(() => world.api.runs().length === 1, { what: 'the run of a delivery' });
    expect(held).toHaveLength(MOST);

    target.answer = (_, response) => void response.end();
    for (const answer of held) answer();
    await waitFor(() => world.api.callbacks.length === MOST + MORE);
    expect(target.received).toHaveLength(MOST + MORE);
    expect(world.api.violations).toEqual([]);
  });
});
