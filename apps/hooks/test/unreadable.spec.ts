import { captureLogger, waitFor } from '@cds/testing';
import { events, pollerHook } from './polled';
import { cleanupKey, hookKeys, KEYS } from '@cds/hooks-store/keys';
import type { NodeHook, Task } from '@cds/wire';
import { push, refsOf } from './deliveries';
import { nodeHook, repositoryHook } from './node-hooks';
import { post, type RunningHooks } from './running-hooks';
import { useTestContext } from './test-context';

const context = useTestContext();

/** A hook of which something in Redis is damaged. */
interface Victim {
  name: string;
  hook: NodeHook;
  damage: (uuid: string, waitingId: string) => Promise<unknown>;
}

const WRONG_SHAPES = ['garbage{', '{"timestamp":1,"ty', '[]', '7', 'null', '{"type":7}', '{}'];
type KeyName = keyof ReturnType<typeof hookKeys>;
const KEY_NAMES = Object.keys(hookKeys('')) as KeyName[];

/** In one step: the service would write the key that is not there. */
async function replace(key: string, by: 'string' | 'list' | 'zset'): Promise<void> {
  const change = context.redisClient.multi().del(key);
  if (by === 'string') change.set(key, 'garbage{');
  if (by === 'list') change.rpush(key, 'garbage{');
  if (by === 'zset') change.zadd(key, 1, 'garbage{');
  await change.exec();
}

function* victims(): Generator<Victim> {
  const of = (name: string, damage: Victim['damage']): Victim => ({
    name,
    hook: repositoryHook({ workflow: `victim-${name}` }),
    damage,
  });
  for (const name of KEY_NAMES)
    for (const by of name === 'owner' ? (['list'] as const) : (['string', 'zset'] as const)) {
      if (by === 'zset' && ['done', 'dead', 'seen'].includes(name)) continue;
      yield of(`${name}-is-${by}`, (uuid) => replace(hookKeys(uuid)[name], by));
    }
  for (const field of ['type', 'method', 'config', 'stopped', 'updated_at', 'last_id', 'signed'])
    for (const [index, text] of WRONG_SHAPES.slice(0, 4).entries())
      yield of(`task-${field}-${index}`, (uuid) =>
        context.redisClient.hset(hookKeys(uuid).task, field, text),
      );
  for (const [index, text] of WRONG_SHAPES.entries()) {
    yield of(`waits-${index}`, (uuid, id) =>
      context.redisClient.hset(hookKeys(uuid).executions, id, text),
    );
    yield of(`state-${index}`, (uuid, id) =>
      context.redisClient.hset(hookKeys(uuid).states, id, text),
    );
  }
  yield of('waiting-garbage', (uuid) =>
    context.redisClient.lpush(hookKeys(uuid).waiting, 'garbage{'),
  );
  yield of('done-garbage', (uuid) => context.redisClient.zadd(hookKeys(uuid).done, 5, 'garbage{'));
  yield of('dead-garbage', (uuid) => context.redisClient.zadd(hookKeys(uuid).dead, 5, 'garbage{'));
  yield of('changes-garbage', (uuid) =>
    context.redisClient.hset(hookKeys(uuid).changes, 'garbage{', 'x'),
  );
}

const scheduler = (workflow: string) =>
  nodeHook('Scheduler', {
    ...{ project: 'PROJ', workflow, workflow_id: '3' },
    ...{ cron: '* * * * * * *', timezone: 'UTC', payload: '{}' },
  });
const poller = (workflow: string) => pollerHook({ workflow });

/**
 * Damages one hook each in every way that there is, while a push waits at each, and has the API
 * come back.
 */
async function damageAll(all: Victim[], others: NodeHook[]): Promise<RunningHooks> {
  const { logger } = captureLogger();
  const hooks = await context.start({}, { logger, timing: { pollMs: 200 } });
  await post(hooks, ...all.map(({ hook }) => hook), ...others);
  context.api.behave = ({ method, url }) =>
    method === 'POST' && /\/runs$/.test(url) ? { html: 502 } : 'ok';
  const pushed = [...all.map(({ hook }) => hook), ...others.filter(isRepository)];
  await Promise.all(pushed.map((hook) => push(hooks, hook, { push: 'waits' })));
  for (const { hook, damage } of all) {
    const id = (await context.redisClient.lindex(hookKeys(hook.uuid).waiting, 0)) ?? '';
    await damage(hook.uuid, id);
  }
  context.api.behave = () => 'ok';
  return hooks;
}

const isRepository = ({ hook_model_name }: NodeHook) => hook_model_name === 'RepositoryWebHook';

describe('a value in Redis that cannot be read', () => {
  it('hurts its hook alone, whichever it is', async () => {
    const all = [...victims()];
    const neighbour = repositoryHook({ workflow: 'neighbour' });
    const [ticks, looks] = [scheduler('ticks'), poller('looks')];
    const broken = [
      scheduler('broken-1'),
      scheduler('broken-2'),
      poller('broken-3'),
      poller('broken-4'),
    ];
    for (const hook of [looks, ...broken])
      context.api.repositories.set(hook.uuid, { events: events({}), interval: '1' });
    const hooks = await damageAll(all, [neighbour, ticks, looks, ...broken]);
    await context.redisClient.hset(hookKeys(broken[0]?.uuid ?? '').task, 'config', '{"cron":');
    await replace(hookKeys(broken[1]?.uuid ?? '').task, 'string');
    await context.redisClient.hset(hookKeys(broken[2]?.uuid ?? '').task, 'config', '7');
    await replace(hookKeys(broken[3]?.uuid ?? '').task, 'list');

    await waitFor(() => refsOf(context, neighbour).includes('waits'), {
      what: 'the run that waited',
    });
    await push(hooks, neighbour, { push: 'new' });
    await waitFor(() => refsOf(context, neighbour).includes('new'), { what: 'the new run' });
    const ticked = refsOf(context, ticks).length;
    await waitFor(() => refsOf(context, ticks).length >= ticked + 2, { what: 'the scheduler' });
    const looked = context.api.polls(looks.uuid).length;
    await waitFor(() => context.api.polls(looks.uuid).length >= looked + 2, { what: 'the poller' });

    const listed = await hooks.call('GET', '/task');
    expect(listed.status).toBe(200);
    const uuids = (listed.body as Task[]).map(({ uuid }) => uuid);
    expect(uuids).toEqual(expect.arrayContaining([neighbour.uuid, ticks.uuid, looks.uuid]));
    expect(await hooks.status()).toMatchObject({ Redis: { status: 'OK' } });
    expect((await hooks.call('GET', '/admin/dead-letters')).status).toBe(200);
    expect((await hooks.call('POST', '/admin/dead-letters/retry')).status).toBe(200);

    // What the API says of its workflow puts a hook right that lost its task, or of which that
    // cannot be read.
    await post(hooks, ...all.map(({ hook }) => hook));
    const answers = new Map<string, number>();
    await Promise.all(
      all.map(async ({ name, hook }) => {
        try {
          await push(hooks, hook, { push: 'later' });
          await waitFor(() => refsOf(context, hook).includes('later'), { what: name });
        } catch (error) {
          answers.set(name, (error as Error).message as unknown as number);
        }
      }),
    );
    expect(Object.fromEntries(answers)).toEqual({});
    for (const { hook } of all)
      expect((await hooks.call('GET', `/task/${hook.uuid}/execution`)).status).toBe(200);
    await hooks.call(
      'DELETE',
      '/task/bulk',
      Object.fromEntries(all.map(({ hook }) => [hook.uuid, hook])),
    );
    const left = ((await hooks.call('GET', '/task')).body as Task[]).map(({ uuid }) => uuid);
    expect(left.filter((uuid) => all.some(({ hook }) => hook.uuid === uuid))).toEqual([]);
  });

  it('makes a dead letter of an execution, whose text is kept, and goes on with the next', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const { executions, waiting } = hookKeys(hook.uuid);
    context.api.behave = ({ method, url }) =>
      method === 'POST' && /\/runs$/.test(url) ? { html: 502 } : 'ok';
    for (const branch of ['a', 'b', 'c', 'd']) await push(hooks, hook, { push: branch });
    const [, b = '', c = ''] = await context.redisClient.lrange(waiting, 0, -1);
    const text = (await context.redisClient.hget(executions, b)) ?? '';
    await context.redisClient.hset(executions, b, text.slice(0, -20), c, '{"config":7}');
    context.api.behave = () => 'ok';

    await waitFor(() => refsOf(context, hook).includes('d'), { what: 'the run behind them' });
    expect(refsOf(context, hook)).toEqual(['a', 'd']);
    const { body } = await hooks.call('GET', '/admin/dead-letters');
    expect(body).toMatchObject([
      { uuid: hook.uuid, last_error: expect.stringContaining('cannot be read as it stands') },
      { uuid: hook.uuid, last_error: expect.stringContaining('cannot be read as it stands') },
    ]);
    expect(await context.redisClient.hmget(executions, b, c)).toEqual([
      text.slice(0, -20),
      '{"config":7}',
    ]);
    const listed = await hooks.executions(hook.uuid);
    expect(listed.map(({ status }) => status)).toEqual(['DONE', 'DONE', 'DONE', 'DONE']);
    // Sent again it fails again, and is still one.
    await context.redisClient.hset(executions, b, text);
    await hooks.call('POST', `/admin/dead-letters/${hook.uuid}/${b}000/retry`);
    await hooks.call('POST', `/admin/dead-letters/${hook.uuid}/${c}000/retry`);
    await waitFor(() => refsOf(context, hook).includes('b'), {
      what: 'the run of what was mended',
    });
    await waitFor(async () => (await context.redisClient.llen(waiting)) === 0, {
      what: 'an empty list',
    });
    expect((await hooks.call('GET', '/admin/dead-letters')).body).toHaveLength(1);
    expect(
      await hooks.call('POST', `/admin/task/${hook.uuid}/execution/${c}000/replay`),
    ).toMatchObject({ status: 400 });
  });

  it('sets a key aside, says so, and makes the list of what waits anew', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.behave = ({ method, url }) =>
      method === 'POST' && /\/runs$/.test(url) ? { html: 502 } : 'ok';
    for (const branch of ['a', 'b']) await push(hooks, hook, { push: branch });
    const { waiting } = hookKeys(hook.uuid);
    await replace(waiting, 'string');
    context.api.behave = () => 'ok';

    await waitFor(() => refsOf(context, hook).length === 2, { what: 'both runs' });
    expect(refsOf(context, hook)).toEqual(['a', 'b']);
    const told = lines.filter(({ msg }) => /set aside/.test(String(msg)));
    expect(told).toMatchObject([{ level: 50, hook: hook.uuid, key: waiting, type: 'string' }]);
    expect(await context.redisClient.get(String(told[0]?.keptAs))).toBe('garbage{');
  });

  it('leaves a task out of the list with a warning that names it, and lets it be removed', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    const [bad, good] = [repositoryHook(), repositoryHook()];
    await post(hooks, bad, good);
    await context.redisClient.hset(hookKeys(bad.uuid).task, 'config', '{"project":{"va');

    expect((await hooks.tasks()).map(({ uuid }) => uuid)).toEqual([good.uuid]);
    await hooks.tasks();
    expect(lines.filter(({ msg }) => /is left out of the list/.test(String(msg)))).toMatchObject([
      { level: 40, hook: bad.uuid },
    ]);
    expect(await hooks.task(bad.uuid)).toMatchObject({ uuid: bad.uuid, config: null });
    expect((await hooks.call('DELETE', `/task/${bad.uuid}`)).status).toBe(204);
    expect((await hooks.call('GET', `/task/${bad.uuid}`)).status).toBe(404);
  });

  it('of a cleanup keeps no other cleanup waiting', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    const shapes = ['string', 'list', 'due', 'accepted', 'status', 'retry_at', 'task'];
    const hurt = shapes.map((name) => repositoryHook({ workflow: `hurt-${name}` }));
    const fine = repositoryHook({ workflow: 'fine' });
    await post(hooks, ...hurt, fine);
    for (const hook of [...hurt, fine]) await push(hooks, hook, { deleted: 'gone' });
    await waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === hurt.length + 1);
    const idOf = async ({ uuid }: NodeHook) =>
      (await context.redisClient.hget(hookKeys(uuid).hookCleanups, 'gone')) ?? '';
    for (const [index, name] of shapes.entries()) {
      const hook = hurt[index] as NodeHook;
      const key = cleanupKey(await idOf(hook));
      if (name === 'string' || name === 'list') await replace(key, name);
      else if (name === 'task')
        await context.redisClient.hset(hookKeys(hook.uuid).task, 'config', '{"pro');
      else await context.redisClient.hset(key, name, 'garbage{');
    }
    // All are due at once, with that one.
    const ids = await context.redisClient.zrange(KEYS.cleanups, '0', '-1');
    for (const id of ids) await context.redisClient.zadd(KEYS.cleanups, 1, id);
    expect(await hooks.call('POST', `/admin/task/${await idOf(fine)}/due`)).toMatchObject({
      status: 200,
    });

    await waitFor(() => context.api.deletions().some((url) => url.includes('fine')), {
      what: 'the removal of the runs',
    });
    await waitFor(
      () =>
        lines.filter(({ msg, cleanup }) => /set aside/.test(String(msg)) && cleanup).length === 2,
      { what: 'two records to be set aside' },
    );
    expect((await hooks.call('GET', '/task')).status).toBe(200);
    expect((await hooks.call('GET', '/admin/dead-letters')).status).toBe(200);
  });

  it('of an outgoing hook makes a dead letter', async () => {
    const hooks = await context.start();
    // Keys that are there before it has claimed the state are those of another CDS.
    await hooks.synchronized();
    const [uuid, id] = ['outgoing-hurt', '1795343649000000'];
    const keys = hookKeys(uuid);
    await context.redisClient.hset(
      keys.task,
      'type',
      'OutgoingWebhook',
      'config',
      '{}',
      'stopped',
      '0',
    );
    await context.redisClient.sadd(KEYS.tasks, uuid);
    await context.redisClient.hset(
      keys.executions,
      id,
      '{"timestamp":1795343649000000000,"type":"Outgo',
    );
    await context.redisClient.rpush(keys.waiting, id);
    await context.redisClient.sadd(KEYS.pending, uuid);

    await waitFor(async () => (await context.redisClient.zcard(keys.dead)) === 1, {
      what: 'the dead letter',
    });
    expect((await hooks.call('GET', '/admin/dead-letters')).body).toMatchObject([
      { uuid, last_error: expect.stringContaining('cannot be read') },
    ]);
  });
});
