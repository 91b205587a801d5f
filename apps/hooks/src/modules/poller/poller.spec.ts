import { hookKeys, KEYS, POLLED_FIELD } from '@cds/hooks-store/keys';
import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook, TaskExecution } from '@cds/wire';
import { VCS } from '../../../test/cds-api-stand-in';
import { refsOf } from '../../../test/deliveries';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext, type TestContext } from '../../../test/test-context';
import { MAX_VARIABLES } from '../../payloads/flatten-json';
import { events, hash, pollerHook, pushEvent } from '../../../test/polled';

const timing = { pollMs: 100 };

describe('pollers', () => {
  const context = useTestContext();

  const start = () => context.start({}, { timing });
  const answers = (hook: NodeHook, answer: unknown, interval?: string) =>
    context.api.repositories.set(hook.uuid, { events: answer, interval });
  const polls = ({ uuid }: NodeHook) => context.api.polls(uuid);
  const refs = (hook: NodeHook) => refsOf(context, hook);
  const pollsAfter = async (hook: NodeHook, more = 2) => {
    const before = polls(hook).length;
    await waitFor(() => polls(hook).length >= before + more, { what: 'more polls' });
  };
  const worked = async (hooks: RunningHooks, { uuid }: NodeHook): Promise<TaskExecution[]> =>
    (await hooks.executions(uuid)).filter(({ status }) => status !== 'SCHEDULED');
  const next = async (hooks: RunningHooks, { uuid }: NodeHook) =>
    (await hooks.executions(uuid)).find(({ status }) => status === 'SCHEDULED');

  it('runs for branches, tags and the heads of pull requests, once for each change', async () => {
    const hooks = await start();
    const hook = pollerHook({ payload: '{"deploy": {"to": "prod"}, "git.hash": "of the config"}' });
    const main = pushEvent('main', hash('a'));
    const found = events({
      pushes: [main, pushEvent('refs/tags/v1', hash('b'))],
      creates: [main],
      deleted: ['old'],
      waitingSince: [
        // Bitbucket gives twelve digits where it has no more: the same push.
        pushEvent('main', hash('a').slice(0, 12)),
        pushEvent('fix', hash('c'), { repo: 'eve/fork' }),
        pushEvent('main', hash('a'), { repo: 'eve/fork' }),
      ],
    });
    answers(hook, found, '1');
    await post(hooks, hook);

    await waitFor(() => refs(hook).length === 4);
    await pollsAfter(hook);

    expect(refs(hook).toSorted()).toEqual(['fix', 'main', 'main', 'v1']);
    const run = context.api
      .runs()
      .find(({ hook: { payload } }) => payload['git.branch'] === 'main');
    expect(run).toMatchObject({ project: 'PROJ', workflow: 'wf3' });
    expect(run?.hook.payload).toEqual({
      'deploy.to': 'prod',
      'git.author': 'ann',
      'git.author.email': 'ann@example.com',
      'git.branch': 'main',
      'git.hash': hash('a'),
      'git.hash.short': 'aaaaaaa',
      'git.message': 'work on main',
      'git.repository': 'jdoe/repo-0',
      'cds.triggered_by.username': 'Ann Example',
      'cds.triggered_by.fullname': 'ann',
      'cds.triggered_by.email': 'ann@example.com',
      payload: expect.any(String) as unknown,
    });
    expect(JSON.parse(run?.hook.payload.payload ?? '')).toMatchObject({
      repo: 'jdoe/repo-0',
      commit: { id: hash('a') },
    });
    const tag = context.api.runs().find(({ hook: { payload } }) => payload['git.tag']);
    expect(tag?.hook.payload['git.branch']).toBeUndefined();
    // What is found again leaves no trace.
    expect(await worked(hooks, hook)).toHaveLength(4);
    expect(await next(hooks, hook)).toMatchObject({ type: 'RepoPoller', processing_timestamp: 0 });
    expect((await hooks.tasks())[0]).toMatchObject({ nb_executions_total: 5 });
    const shown = (await worked(hooks, hook)).map(({ poll }) => poll?.ref);
    expect(shown).toContain('refs/tags/v1');
    const status = await hooks.status();
    expect(status['Polls']).toEqual({ status: 'OK', value: '1' });
    expect(status['Polls Failing']?.status).toBe('OK');
    expect(status['Hooks not served RepoPoller']).toBeUndefined();
  });

  it('asks since its last poll that was answered, at the pace that the API asks for', async () => {
    const hooks = await start();
    const hook = pollerHook();
    answers(hook, events({}), '0');
    const before = Date.now();
    await post(hooks, hook);
    await waitFor(() => polls(hook).length >= 4);
    answers(hook, events({}), '3600');
    await waitFor(async () => ((await dueIn(hook)) ?? 0) > 3_000_000);

    const [first, ...others] = polls(hook);
    // A poller asks for nothing that was before it.
    expect(first?.since).toBeGreaterThanOrEqual(before - 1_000);
    for (const [index, { since }] of others.entries()) {
      const last = polls(hook)[index];
      expect(since).toBeLessThanOrEqual(last?.at ?? 0);
      expect(since).toBeGreaterThanOrEqual(last?.since ?? Infinity);
    }
    // A day is more than anybody waits.
    answers(hook, events({}), '86400');
    await context.redisClient.zadd(KEYS.polls, 1, hook.uuid);
    await pollsAfter(hook, 1);
    await waitFor(async () => ((await dueIn(hook)) ?? 0) > 3_000_000);
    expect(await dueIn(hook)).toBeLessThanOrEqual(3_600_000);
  });

  async function dueIn({ uuid }: NodeHook): Promise<number | undefined> {
    const due = await context.redisClient.zscore(KEYS.polls, uuid);
    return due === null ? undefined : Number(due) - Date.now();
  }

  it('polls each hook by one of several replicas, and another one when that dies', async () => {
    const leaseMs = 1_500;
    const first = await context.start({}, { timing: { ...timing, leaseMs } });
    await context.start({}, { timing: { ...timing, leaseMs } });
    const hook = pollerHook();
    let held = 0;
    // The first poll is answered by nobody, for longer than anybody waits.
    context.api.behave = ({ url }) =>
      url.includes('/vcsevent/') && held++ === 0 ? { delayMs: 60_000 } : 'ok';
    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '0');
    await post(first, hook);
    const began = Date.now();

    await waitFor(() => refs(hook).length === 1);

    expect(Date.now() - began).toBeGreaterThanOrEqual(leaseMs - 100);
    await pollsAfter(hook, 5);
    // Never two at once: each asks since the one before it began.
    const sinces = polls(hook).map(({ since }) => since);
    expect(new Set(sinces.slice(1)).size).toBe(sinces.length - 1);
    expect(refs(hook)).toEqual(['main']);
  });

  it('finds what it was about to keep when the last poll broke off', async () => {
    const hooks = await start();
    const hook = pollerHook();
    answers(hook, events({}), '3600');
    await post(hooks, hook);
    await waitFor(async () => ((await dueIn(hook)) ?? 0) > 3_000_000);
    const polledAt = await context.redisClient.hget(hookKeys(hook.uuid).task, POLLED_FIELD);
    // Whoever took it died between the answer of the API and Redis.
    await hooks.service.stop(2_000);
    await context.redisClient.zadd(KEYS.polls, Date.now() + 300, hook.uuid);
    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '3600');

    await start();

    await waitFor(() => refs(hook).length === 1);
    expect(polls(hook).at(-1)?.since).toBe(Number(polledAt));
  });

  it('loses nothing when Redis is away while the API answers', async () => {
    const hooks = await start();
    const hook = pollerHook();
    answers(hook, events({}), '3600');
    await post(hooks, hook);
    await waitFor(async () => ((await dueIn(hook)) ?? 0) > 3_000_000);
    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '3600');
    let held = false;
    context.api.behave = ({ url }) => {
      if (!url.includes('/vcsevent/') || held) return 'ok';
      held = true;
      return { delayMs: 1_000 };
    };
    await context.redisClient.zadd(KEYS.polls, 1, hook.uuid);
    await waitFor(() => held);
    const before = polls(hook).length;
    await context.redis.kill();
    await waitFor(() => polls(hook).length > before, { what: 'the answer of the API' });
    await context.redis.start();
    // Its lease ends.
    await waitFor(async () => (await context.redisClient.zadd(KEYS.polls, 1, hook.uuid)) >= 0);

    await waitFor(() => refs(hook).length === 1);
    expect(polls(hook).length).toBeGreaterThan(before + 1);
  });

  it('makes no more than eight polls at once', async () => {
    const hooks = await start();
    let asked = 0;
    context.api.behave = ({ url }) => {
      if (!url.includes('/vcsevent/')) return 'ok';
      asked++;
      return { delayMs: 60_000 };
    };
    await post(hooks, ...Array.from({ length: 20 }, () => pollerHook()));
    await waitFor(() => asked === 8);
    await waitFor(async () => parseInt((await hooks.status())['Polls Late']?.value ?? '', 10) >= 2);
    expect(asked).toBe(8);
  });

  it('gives back at once what it does not finish before it ends', async () => {
    const hooks = await start();
    const hook = pollerHook();
    let asked = 0;
    context.api.behave = ({ url }) => {
      if (!url.includes('/vcsevent/')) return 'ok';
      asked++;
      return { delayMs: 60_000 };
    };
    answers(hook, events({}));
    await post(hooks, hook);
    await waitFor(() => asked === 1);

    await hooks.service.stop(3_000);

    expect(await dueIn(hook)).toBeLessThanOrEqual(0);
  });

  it.each([
    ['the server cannot be polled', null, 'does not offer polling', 'unsupported'],
    ['the API does not know it', undefined, 'resource not found', 'refused'],
    ['the answer is no object', [1, 2], "not the CDS API's", 'unavailable'],
    ['a list is none', { push_events: 'many' }, "not the CDS API's", 'unavailable'],
    ['the answer is a word', 'null', "not the CDS API's", 'unavailable'],
  ])('tells why nothing is polled: %s', async (_name, answer, reason, result) => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger, timing });
    const hook = pollerHook();
    if (answer !== undefined) answers(hook, answer);
    await post(hooks, hook);
    await pollsAfter(hook, 3);

    expect((await next(hooks, hook))?.last_error).toContain(reason);
    const status = await hooks.status();
    expect(status['Polls Failing']).toEqual({ status: 'WARN', value: '1' });
    expect(status[`Poll Failing ${hook.uuid}`]?.status).toBe('WARN');
    const logged = lines.filter(({ msg }) => String(msg).startsWith('poll failed'));
    expect(logged.filter(({ level }) => level === 40)).toHaveLength(1);
    const metrics = await (await fetch(`${hooks.url}/mon/metrics`)).text();
    expect(metrics).toMatch(
      new RegExp(`cds_hooks_polls_total{.*kind="poller".*result="${result}".*} [1-9]`),
    );

    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '0');
    await waitFor(() => refs(hook).length === 1);
    await waitFor(async () => (await hooks.status())['Polls Failing']?.value === '0');
    expect((await next(hooks, hook))?.last_error).toBeUndefined();
  });

  it('leaves out events that cannot be read, and runs for the others', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger, timing });
    const hook = pollerHook();
    const huge = pushEvent('huge', hash('b'));
    huge.commit.message = 'x'.repeat(70_000);
    const broken = [
      null,
      7,
      huge,
      { ...pushEvent('one', hash('c')), branch: null },
      pushEvent('', hash('d')),
      pushEvent('two', 'no hash'),
      { ...pushEvent('three', hash('e')), commit: 'x' },
    ];
    const nameless = { ...pushEvent('four', hash('f')), repo: 7 };
    nameless.commit.author = { ...nameless.commit.author, name: '' };
    answers(hook, events({ pushes: [...broken, nameless, pushEvent('main', hash('a'))] }), '3600');
    await post(hooks, hook);

    await waitFor(() => refs(hook).length === 2);

    expect(refs(hook)).toEqual(['four', 'main']);
    expect(context.api.runs()[0]?.hook.payload).toMatchObject({
      'git.author': 'Ann Example',
      'git.repository': 'jdoe/repo-0',
    });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 40, hook: hook.uuid, events: broken.length }),
    );
  });

  it('refuses the start of what cannot be polled, and says why', async () => {
    const hooks = await start();
    const [elsewhere, unknown, empty] = [
      pollerHook({ vcsServer: 'github' }),
      pollerHook(),
      pollerHook({ workflow_id: '' }),
    ];
    answers(elsewhere, null);
    await post(hooks, elsewhere, unknown, empty);
    for (const hook of [elsewhere, unknown, empty])
      expect((await hooks.call('GET', `/task/${hook.uuid}/stop`)).status).toBe(204);
    expect(await context.redisClient.zcard(KEYS.polls)).toBe(0);

    const startOf = ({ uuid }: NodeHook) => hooks.call('GET', `/task/${uuid}/start`);
    expect(await startOf(elsewhere)).toMatchObject({
      status: 501,
      body: { message: expect.stringContaining('"github" does not offer polling') as unknown },
    });
    expect(await startOf(unknown)).toMatchObject({
      status: 501,
      body: { message: expect.stringContaining('resource not found') as unknown },
    });
    expect(await startOf(empty)).toMatchObject({
      status: 501,
      body: { message: expect.stringContaining('workflow_id') as unknown },
    });
    expect((await hooks.tasks()).map(({ stopped }) => stopped)).toEqual([true, true, true]);
    const many = JSON.stringify(Array.from({ length: MAX_VARIABLES + 1 }, () => 1));
    await expect(post(hooks, pollerHook({ payload: many }))).rejects.toThrow('400');

    answers(elsewhere, events({}));
    expect((await startOf(elsewhere)).status).toBe(204);
    await pollsAfter(elsewhere, 1);
    // An API that is away refuses nothing.
    await context.api.stop();
    expect((await startOf(unknown)).status).toBe(204);
  });

  it.each<[string, TestContext['api']['vcs']]>([
    ['has not registered', {}],
    ['does not answer', 'away'],
  ])('starts while vcs %s, and polls by itself when it is back', async (_, vcs) => {
    const hooks = await start();
    const hook = pollerHook();
    // As the API answers where it reaches no vcs.
    answers(hook, null);
    await post(hooks, hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    context.api.vcs = vcs;
    expect((await hooks.call('GET', `/task/${hook.uuid}/start`)).status).toBe(204);
    await waitFor(async () => (await next(hooks, hook))?.last_error?.includes('reaches no vcs'));
    expect((await hooks.task(hook.uuid)).stopped).toBe(false);

    context.api.vcs = VCS;
    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '0');
    await waitFor(() => refs(hook).length === 1);
  });

  it('goes on by itself after an outage of the API, and starts at its end what it found', async () => {
    const hooks = await start();
    const hook = pollerHook();
    answers(hook, events({}), '0');
    await post(hooks, hook);
    await pollsAfter(hook);
    await context.api.stop();
    await waitFor(async () => (await hooks.status())['Polls Failing']?.value === '1');
    const before = polls(hook).at(-1);

    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '0');
    await context.api.start();
    await waitFor(() => refs(hook).length === 1);

    const [after] = polls(hook).filter(({ at }) => at > (before?.at ?? 0));
    // What happened while nobody could ask is asked for.
    expect(after?.since).toBeLessThanOrEqual(before?.at ?? 0);
  });

  it('stops with its task, goes on where it was, and is gone with it', async () => {
    const hooks = await start();
    const hook = pollerHook();
    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '0');
    await post(hooks, hook);
    await waitFor(() => refs(hook).length === 1);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    expect(await next(hooks, hook)).toBeUndefined();
    const polledAt = Number(await context.redisClient.hget(hookKeys(hook.uuid).task, POLLED_FIELD));

    await hooks.call('GET', `/task/${hook.uuid}/start`);
    await pollsAfter(hook, 1);
    expect(polls(hook).some(({ since }) => since === polledAt)).toBe(true);
    expect(refs(hook)).toEqual(['main']);

    await hooks.call('DELETE', `/task/${hook.uuid}`);
    expect(await context.redisClient.zcard(KEYS.polls)).toBe(0);
    await waitFor(async () => (await context.redisClient.keys(`*${hook.uuid}*`)).length === 0, {
      what: 'nothing of it to be left',
    });
  });

  it('polls at once when its workflow was put right', async () => {
    const hooks = await context.start();
    const hook = pollerHook({ workflow_id: '' });
    await post(hooks, hook);
    await waitFor(async () => (await next(hooks, hook))?.last_error?.includes('workflow_id'));
    expect(await dueIn(hook)).toBeGreaterThan(240_000);
    const right = { ...hook, config: pollerHook().config };
    answers(right, events({ pushes: [pushEvent('main', hash('a'))] }));
    await post(hooks, right);
    await waitFor(() => refs(hook).length === 1);
  });

  it('leaves out the next poll when that is stopped', async () => {
    const hooks = await start();
    const hook = pollerHook();
    answers(hook, events({}), '3600');
    await post(hooks, hook);
    await waitFor(async () => ((await dueIn(hook)) ?? 0) > 3_000_000);
    const coming = await next(hooks, hook);
    // The numbers of CDS are beyond the safe integers, and these are exact.
    const path = `/task/${hook.uuid}/execution/${coming?.timestamp}`;
    expect(((await hooks.call('GET', path)).body as TaskExecution).status).toBe('SCHEDULED');
    await hooks.call('POST', `${path}/stop`);

    expect((await next(hooks, hook))?.timestamp).toBe((coming?.timestamp ?? 0) + 60_000_000_000);
    expect((await hooks.call('POST', `${path}/stop`)).status).toBe(404);
  });

  it('polls soon when the clock of Redis was put back', async () => {
    const hook = pollerHook();
    answers(hook, events({}), '3600');
    const hooks = await start();
    await post(hooks, hook);
    await waitFor(async () => ((await dueIn(hook)) ?? 0) > 3_000_000);
    await context.redisClient.zadd(KEYS.polls, Date.now() + 30 * 86_400_000, hook.uuid);
    await pollsAfter(hook, 1);
  });

  it('sends a change again when an operator asks for it', async () => {
    const hooks = await start();
    const hook = pollerHook();
    answers(hook, events({ pushes: [pushEvent('main', hash('a'))] }), '0');
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { refuse: 403, id: 3 } : 'ok');
    await post(hooks, hook);
    await waitFor(async () => (await worked(hooks, hook))[0]?.status === 'DONE');
    context.api.behave = () => 'ok';
    const { status } = await hooks.call('POST', '/admin/dead-letters/retry', {});
    expect(status).toBe(200);
    await waitFor(() => refs(hook).length === 1);
    await waitFor(async () => (await worked(hooks, hook))[0]?.workflow_run === 1);
  });
});
