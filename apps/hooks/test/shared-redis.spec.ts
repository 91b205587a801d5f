import { startTestRedis, type TestRedis, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { Redis } from 'ioredis';
import { allDone, push, refsOf } from './deliveries';
import { nodeHook, plainHook, repositoryHook, signed } from './node-hooks';
import { post, type RunningHooks } from './running-hooks';
import { startTestContext, type TestContext } from './test-context';
import { apiKnows, startTarget, webhookRun } from './outgoing';
import { events, hash, pollerHook, pushEvent } from './polled';
import { pushDelivery } from './pushes';

/** Everything that writes to Redis, once. */
async function wholeStory(context: TestContext): Promise<RunningHooks> {
  const { api } = context;
  const hooks = await context.start({
    branchDeletion: { delaySeconds: 2 },
    reconcile: { intervalSeconds: 600 },
    retryError: 1,
    executionHistory: 1,
    deadLetters: 1,
  });
  const [first, second, refused] = [repositoryHook(), repositoryHook(), plainHook()];
  const scheduler = schedulerHook('* * * * * * *');
  const poller = pollerHook();
  const all = [first, second, refused, scheduler, poller];
  api.hooks = all;
  api.repositories.set(poller.uuid, {
    events: events({ pushes: [pushEvent('polled', hash('c'))] }),
  });
  await post(hooks, ...all);
  await waitFor(() => refsOf(context, scheduler).length > 0, { what: 'a run of the scheduler' });
  await waitFor(() => refsOf(context, poller).length > 0, { what: 'a run of the poller' });

  const delivery = pushDelivery({ push: 'main' });
  const deliveries = [signed(first, delivery), signed(first, delivery)];
  for (const one of deliveries) await hooks.webhook(first.uuid, one);
  await hooks.webhook(first.uuid, signed(first, pushDelivery({ push: 'next' })));
  expect((await hooks.webhook(first.uuid, delivery)).status).toBe(401);
  await hooks.call('DELETE', `/admin/task/${first.uuid}/signature`);
  await push(hooks, first, { deleted: 'gone' }, { deleted: 'gone-too' }, { deleted: 'back' });
  await push(hooks, first, { push: 'back' });
  await waitFor(() => api.deletions().length === 2, { what: 'the removals of runs' });
  expect(api.deletions().join()).not.toContain('back');

  await failAndRetry(context, hooks, refused);
  await callTarget(context, hooks);
  await stopAndRemove(hooks, second);
  return hooks;
}

async function failAndRetry(
  { api }: TestContext,
  hooks: RunningHooks,
  hook: NodeHook,
): Promise<void> {
  api.behave = ({ url }) => (url.includes('/wf2/runs') ? { refuse: 400, id: 74 } : 'ok');
  for (const body of ['{"n":1}', '{"n":2}'])
    expect((await hooks.webhook(hook.uuid, { body })).status).toBe(200);
  const dead = async () => (await hooks.call('GET', '/admin/dead-letters')).body as object[];
  await allDone(hooks, hook);
  expect(await dead()).toHaveLength(1);
  api.behave = () => 'ok';
  await hooks.call('POST', '/admin/dead-letters/retry');
  await waitFor(async () => (await dead()).length === 0, { what: 'the dead letter to be gone' });
  const ran = await waitFor(async () =>
    (await hooks.executions(hook.uuid)).find(({ status }) => status === 'DONE'),
  );
  await hooks.call('POST', `/admin/task/${hook.uuid}/execution/${ran.timestamp}/replay`);
}

async function callTarget(context: TestContext, hooks: RunningHooks): Promise<void> {
  const target = await startTarget();
  try {
    const run = webhookRun(target);
    apiKnows(context, run);
    expect((await hooks.call('POST', '/task/execute', run)).status).toBe(200);
    await waitFor(() => context.api.callbacks.length > 0, { what: 'the callback of the webhook' });
  } finally {
    target.stop();
  }
}

/** A hook with all that it can have when it is removed. */
async function stopAndRemove(hooks: RunningHooks, hook: NodeHook): Promise<void> {
  await push(hooks, hook, { deleted: 'left' });
  await waitFor(async () =>
    (await hooks.tasks()).some(({ config }) => config?.branch?.value === 'left'),
  );
  const { uuid } = hook;
  expect((await hooks.call('GET', `/task/${uuid}/stop`)).status).toBe(204);
  await push(hooks, hook, { push: 'left' });
  await hooks.call('DELETE', `/task/${uuid}/execution`);
  expect((await hooks.call('DELETE', `/task/${uuid}`)).status).toBe(204);
}

function schedulerHook(cron: string): NodeHook {
  const config = { cron, timezone: 'UTC', payload: '{}', project: 'PROJ', workflow: 'wf4' };
  return nodeHook('Scheduler', { ...config, workflow_id: '4' });
}

describe('two CDS that share a Redis on purpose', () => {
  let redis: TestRedis;
  let client: Redis;
  let contexts: TestContext[] = [];

  beforeAll(async () => {
    redis = await startTestRedis({ appendonly: true });
    client = new Redis(redis.url);
  });
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.end()));
    contexts = [];
    await client.acl('SETUSER', 'default', 'allkeys');
    await redis.flush();
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  async function share(
    ...parts: { keyPrefix?: string; database?: number }[]
  ): Promise<TestContext[]> {
    contexts = await Promise.all(parts.map((part) => startTestContext({ redis, ...part })));
    return contexts;
  }

  it('do not see each other under two prefixes, and write nothing beside them', async () => {
    const [one, two] = await share({ keyPrefix: 'one:' }, { keyPrefix: 'two:' });
    if (!one || !two) throw new Error('no contexts');
    // Any other key, also one that a script makes up, is refused from here on.
    await client.acl('SETUSER', 'default', 'resetkeys', '~one:*', '~two:*');

    const [hooksOfOne, hooksOfTwo] = await Promise.all([wholeStory(one), wholeStory(two)]);

    const uuids = async (hooks: RunningHooks) => (await hooks.tasks()).map(({ uuid }) => uuid);
    const ofOne = await uuids(hooksOfOne);
    expect(ofOne.length).toBeGreaterThan(3);
    expect(await uuids(hooksOfTwo)).toEqual(expect.not.arrayContaining(ofOne));
    for (const { api } of [one, two]) {
      const own = api.hooks.map(({ uuid }) => uuid);
      expect(own).toEqual(expect.arrayContaining(api.runs().map(({ hook }) => hook.uuid)));
      expect(api.violations).toEqual([]);
    }
    await client.acl('SETUSER', 'default', 'allkeys');
    const keys = await client.keys('*');
    expect(keys.filter((key) => !/^(one|two):cdsbb:hooks:/.test(key))).toEqual([]);
    expect(keys.filter((key) => key.startsWith('one:')).length).toBeGreaterThan(20);
  });

  it('do not see each other in two databases', async () => {
    const [one, two] = await share({ database: 1 }, { database: 2 });
    if (!one || !two) throw new Error('no contexts');
    const [hooksOfOne, hooksOfTwo] = [await one.start(), await two.start()];
    const [ofOne, ofTwo] = [repositoryHook(), repositoryHook()];
    one.api.hooks = [ofOne];
    two.api.hooks = [ofTwo];
    await post(hooksOfOne, ofOne);
    await post(hooksOfTwo, ofTwo);

    await push(hooksOfOne, ofOne, { push: 'main' });
    await waitFor(() => refsOf(one).length === 1);

    expect((await hooksOfTwo.tasks()).map(({ uuid }) => uuid)).toEqual([ofTwo.uuid]);
    expect(two.api.runs()).toEqual([]);
    expect(await client.dbsize()).toBe(0);
  });
});
