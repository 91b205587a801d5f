import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createDeliveryStore,
  createRefusalStore,
  type DeliveryToAccept,
  type ExecutionState,
  NEW_STATE,
} from '@cds/hooks-store';
import { BULL_PREFIX, cleanupKey, hookKeys, KEYS, SIGNED_FIELD } from '@cds/hooks-store/keys';
import { vcsKeys } from '@cds/redis';
import { freePort, referenceHooks, startTestRedis, type TestRedis } from '@cds/testing';
import Redis from 'ioredis';
import { bundleEngine, readyConfig, type Engine } from '../test/engine.fixture';

const HOOK = '0e9a4f4c-56b8-4ba6-9e6b-0f0b6f2a4d11';
const OTHER = '11111111-56b8-4ba6-9e6b-0f0b6f2a4d11';
const CLEANUP = 'a'.repeat(64);
const ID = '1763841600000001';
const NEXT_ID = '1763841600000002';

let engine: Engine;
let server: TestRedis;
let redis: Redis;
let file: string;

beforeAll(async () => {
  engine = bundleEngine();
  server = await startTestRedis();
  redis = new Redis(server.port, server.host);
  file = configFile(server.port);
});
beforeEach(() => server.flush());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  engine.remove();
});

function configFile(redisPort: number): string {
  const path = join(engine.folder(), 'config.toml');
  writeFileSync(path, readyConfig({ redisPort }));
  return path;
}

const run = (...args: string[]) => engine.call(['hooks', ...args, '--config', file]);

const value = (text: string) => ({ value: text });

async function task(uuid: string): Promise<void> {
  const config = {
    project: value('PROJ'),
    workflow: value('wf1'),
    repoFullName: value('jdoe/repo-0'),
  };
  const fields = { type: 'RepoWebHook', config: JSON.stringify(config), stopped: '0' };
  await redis.hset(hookKeys(uuid).task, fields);
}

/** An execution that hooks keeps; `where` it stands is up to the test. */
async function execution(uuid: string, id: string, changes: unknown[], error = ''): Promise<void> {
  const keys = hookKeys(uuid);
  const body = JSON.stringify({ push: { changes } });
  const webhook = {
    request_url: '',
    request_method: '',
    request_header: { 'X-Event-Key': ['repo:push'], 'X-Secret-Header': ['hidden-header'] },
    request_body: Buffer.from(body).toString('base64'),
  };
  const stored = { timestamp: Number(id) * 1000, type: 'RepoWebHook', config: {}, webhook };
  await redis.hset(keys.executions, id, JSON.stringify({ ...stored, accepted_at: 1 }));
  const state = { ...NEW_STATE, status: 'DONE', nb_errors: 3, last_error: error, failed: true };
  const ended = { ...state, processing_timestamp: 1763841660000 * 1e6, failed_steps: [1] };
  await redis.hset(keys.states, id, JSON.stringify(ended));
}

async function deadLetter(uuid: string, id: string, error = 'no such workflow'): Promise<void> {
  await task(uuid);
  await execution(uuid, id, [{ new: { type: 'branch' } }], error);
  await redis.zadd(hookKeys(uuid).dead, id, id);
  await redis.zadd(KEYS.failed, id, `${uuid}/${id}`);
}

async function failedCleanup(): Promise<void> {
  await redis.hset(cleanupKey(CLEANUP), {
    ...{ status: 'failed', due: '1763928000000', accepted: '1763841600000000', hook: HOOK },
    ...{ project: 'PROJ', workflow: 'wf1', repository: 'jdoe/repo-0', branch: 'old\u001b[2Jone' },
    ...{ nb_errors: '3', last_error: 'refused', processed: '1763928000000' },
  });
  await redis.zadd(KEYS.failedCleanups, 1763928000000, CLEANUP);
}

describe('engine hooks why', () => {
  const PUSH_AT = Date.UTC(2026, 10, 29, 12);
  const HASH = 'c'.repeat(40);

  /** Accepts a delivery as hooks does. @returns the id of its execution */
  async function delivered(
    branch: string,
    change: Partial<DeliveryToAccept> & { hash?: string; event?: string } = {},
  ): Promise<string> {
    const { hash = HASH, event = 'repo:push', ...more } = change;
    const store = createDeliveryStore({
      ...{ redis, executionHistory: 100, deadLetters: 10, signature: 'auto' },
    });
    const changes = [{ new: { type: 'branch', name: branch, target: { hash } }, old: null }];
    const done = { ...NEW_STATE, status: 'DONE' as const, processing_timestamp: PUSH_AT * 1e6 };
    const accepted = await store.accept({
      ...{ uuid: HOOK, method: 'POST', validatedFor: 'RepoWebHook', validation: 'accept' },
      ...{ signature: 'none', requestUuid: `of-${branch}`, acceptedAt: PUSH_AT },
      requestId: `request-of-${branch}`,
      received: {
        webhook: {
          ...{ request_url: '', request_body: '', request_method: '' },
          request_header: {
            'X-Event-Key': [event],
            'X-Request-Uuid': [`of-${branch}`],
            'X-Secret-Header': ['hidden-header'],
          },
        },
      },
      body: Buffer.from(JSON.stringify({ push: { changes }, secret: 'hidden-body' })),
      ignored: { ...done, last_error: `ignored: ${event} starts no workflow` },
      duplicate: {
        ...done,
        last_error: 'duplicate: a delivery with the same {same} was accepted before',
      },
      ...more,
    });
    return accepted.kind === 'accepted' ? accepted.id : accepted.kind;
  }

  async function ended(id: string, state: Partial<ExecutionState>): Promise<void> {
    const keys = hookKeys(HOOK);
    const done = { ...NEW_STATE, status: 'DONE', processing_timestamp: 1e15, ...state };
    await redis.hset(keys.states, id, JSON.stringify(done));
    await redis.lrem(keys.waiting, 0, id);
    await redis.zadd(state.failed ? keys.dead : keys.done, id, id);
  }

  beforeEach(async () => {
    await task(HOOK);
    await redis.hset(hookKeys(HOOK).task, 'method', 'POST');
    await redis.sadd(KEYS.tasks, HOOK);
  });

  it('tells runs, dead letters, retries, duplicates, refusals and what was sent to Bitbucket', async () => {
    const ran = await delivered('main');
    await ended(ran, { workflow_run: 7 });
    await delivered('main');
    await delivered('pr', { event: 'pullrequest:created', validation: 'ignore' });
    const failed = await delivered('broken');
    await ended(failed, { failed: true, nb_errors: 3, last_error: 'no such workflow' });
    const retried = await delivered('slow');
    const again = { nb_errors: 1, last_error: 'HTTP 400', retry_at: PUSH_AT + 120_000 };
    await redis.hset(hookKeys(HOOK).states, retried, JSON.stringify({ ...NEW_STATE, ...again }));
    await delivered('behind');
    await createRefusalStore({ redis }).add(HOOK, {
      ...{ at: PUSH_AT - 5_000, request_id: 'refused-1', request_uuid: 'u', event: 'repo:push' },
      ...{ address: '192.0.2.1', reason: 'unauthentic', status: 401, error: 'not authenticated' },
      left_out: 4,
    });
    const sent = { state: 'SUCCESSFUL', description: 'build: Success', number: 7, subNumber: 0 };
    const commit = vcsKeys.statusesOfCommit('JDoe/Repo-0', HASH);
    const status = JSON.stringify({ ...sent, url: 'x', at: PUSH_AT });
    await redis.hset(commit, 'CDS/PROJ-wf1-build', status);

    const { code, out, err } = await run('why', 'JDOE/repo-0');

    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.split('\n').map((line) => line.trim());
    const line = (beginning: string) => lines.find((each) => each.includes(beginning));
    expect(lines[0]).toBe(`${HOOK}  RepoWebHook of PROJ/wf1 for jdoe/repo-0`);
    expect(lines[1]).toBe(
      `2 pending since 2026-11-29T12:00:00Z: the first, ${retried}000, is tried again at 2026-11-29T12:02:00Z; the others wait behind it (HTTP 400)`,
    );
    expect(line('  behind')).toContain(`waits behind execution ${retried}000`);
    expect(line('  slow')).toContain('tried 1 time(s), again at 2026-11-29T12:02:00Z (HTTP 400)');
    expect(line('  broken')).toContain(`hooks dead-letters retry ${HOOK} ${failed}000`);
    expect(line('  main  run')).toContain('run 7 of PROJ/wf1');
    expect(line('  main  dup')).toContain('same X-Request-UUID');
    expect(line('  pr')).toContain('ignored: pullrequest:created starts no workflow');
    expect(line('build status of')).toBe(
      `build status of ${HASH.slice(0, 12)}: SUCCESSFUL (CDS/PROJ-wf1-build, run 7), build: Success, sent 2026-11-29T12:00:00Z`,
    );
    expect(line('refused with 401')).toContain('4 before it are not shown');
    expect(out).toContain(`engine vcs webhook ${HOOK} prints`);
    expect(line('refused-1')).toContain('192.0.2.1');
    expect(out).not.toContain('hidden');

    const ofMain = await run('why', HOOK, '--branch', 'main', '--json');
    const { hooks, next } = JSON.parse(ofMain.out) as {
      hooks: { events: Record<string, unknown>[] }[];
      next: string[];
    };
    expect(next).toEqual([]);
    expect(hooks[0]?.events.map(({ kind, result, reason }) => [kind, result ?? reason])).toEqual([
      ['execution', 'duplicate'],
      ['execution', 'run'],
      ['refusal', 'unauthentic'],
    ]);
    expect(hooks[0]?.events[1]).toMatchObject({
      ...{ workflow_run: 7, request_uuid: 'of-main', request_id: 'request-of-main' },
      statuses: { [HASH]: [{ state: 'SUCCESSFUL', workflow_run: 7 }] },
    });
    expect(ofMain.out).not.toContain('hidden');
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['is stopped', () => redis.hset(hookKeys(HOOK).task, 'stopped', '1'), /the hook is stopped/],
    [
      'pauses for the API',
      async () => {
        await redis.zadd(KEYS.apiWaiters, 1, `hook-${HOOK}`);
        await redis.zadd(`${BULL_PREFIX}:hooks:delayed`, (PUSH_AT + 60_000) * 4096, `hook-${HOOK}`);
      },
      /the API gives no answer, again at 2026-11-29T12:01:00Z/,
    ],
    [
      'pauses for a maintenance',
      () => redis.hset(KEYS.hookQueueMeta, 'paused', '1'),
      /CDS is under maintenance/,
    ],
    [
      'works',
      () => redis.lpush(`${BULL_PREFIX}:hooks:active`, `hook-${HOOK}`),
      /the first is being processed now/,
    ],
    ['has lost its job', () => Promise.resolve(), /no job is queued for them/],
  ])('tells what a push waits for where its hook %s', async (_, arrange, sentence) => {
    await delivered('main');
    await arrange();
    expect((await run('why', HOOK)).out).toMatch(sentence);
  });

  it('says what to look at where nothing is known, and what it does not know', async () => {
    await delivered('main');
    const { code, out } = await run('why', HOOK, '--branch', 'dev');
    expect(code).toBe(0);
    expect(out).toContain('hooks received no push to dev that it still knows of');
    expect(out).toContain('engine doctor --repository jdoe/repo-0 looks');

    expect(await run('why', OTHER)).toMatchObject({ code: 1, err: expect.stringContaining('404') });
    expect(await run('why', 'jdoe/other')).toMatchObject({
      code: 1,
      err: expect.stringContaining('knows no hook of jdoe/other'),
    });
    expect((await run('why', 'a b/c')).code).toBe(2);
    for (const pasted of [
      'https://bitbucket.org/jdoe/repo-0/src/main/',
      `https://hooks.example.com/webhook/${HOOK}`,
    ])
      expect(await run('why', pasted)).toEqual(
        await run('why', pasted.includes(HOOK) ? HOOK : 'jdoe/repo-0'),
      );

    const alone = join(engine.folder(), 'hooks.toml');
    const text = readyConfig({ redisPort: server.port });
    writeFileSync(alone, text.slice(text.indexOf('[hooks]')));
    const withoutVcs = await engine.call(['hooks', 'why', HOOK, '--config', alone]);
    expect(withoutVcs).toMatchObject({
      code: 0,
      err: expect.stringContaining('statuses sent to Bitbucket are not known: name the'),
    });
  });
});

describe('engine hooks … list', () => {
  const change = (name: string) => ({ new: { type: 'branch', name }, old: null });

  it('finds what replay wants: the task of a workflow, then the execution of a branch', async () => {
    await task(HOOK);
    await task(OTHER);
    const config = { project: value('PROJ'), workflow: value('wf\u202e2') };
    await redis.hset(hookKeys(OTHER).task, 'config', JSON.stringify(config), 'stopped', '1');
    await redis.sadd(KEYS.tasks, HOOK, OTHER);
    await execution(HOOK, ID, [change('dev'), change('feat\u001b[2J')]);
    await redis.zadd(hookKeys(HOOK).done, ID, ID);
    await execution(HOOK, NEXT_ID, [change('main')]);
    const keys = hookKeys(HOOK);
    const text = JSON.parse((await redis.hget(keys.executions, NEXT_ID)) ?? '') as object;
    await redis.hset(keys.executions, NEXT_ID, JSON.stringify({ ...text, request_id: 'r-1' }));
    await redis.hdel(keys.states, NEXT_ID);
    await redis.rpush(keys.waiting, NEXT_ID);

    const tasks = await run('tasks', 'list', '--workflow', 'PROJ/wf1');
    expect(tasks.out.replaceAll(/ {2,}/g, '  ')).toBe(
      `UUID  TYPE  WORKFLOW  WAITING  IN ALL  STATE  REPOSITORY\n${HOOK}  RepoWebHook  PROJ/wf1  1  2  runs  jdoe/repo-0\n`,
    );
    const both = await run('tasks', 'list', '--json');
    expect(both.out).not.toContain('\u202e');
    expect(JSON.parse(both.out)).toEqual([
      expect.objectContaining({ uuid: HOOK, stopped: false }),
      expect.objectContaining({ uuid: OTHER, workflow: 'wf\u202e2', stopped: true }),
    ]);
    expect((await run('tasks', 'list', '--limit', '1')).err).toContain('There are 2 tasks in all');

    const listed = await run('executions', 'list', HOOK);
    expect(listed.out.replaceAll(/ {2,}/g, '  ').split('\n').slice(1)).toEqual([
      `${NEXT_ID}000  waiting  1970-01-01T00:00:00Z  RepoWebHook  main  r-1  0`,
      `${ID}000  done  1970-01-01T00:00:00Z  RepoWebHook  dev, feat [2J  3`,
      '',
    ]);
    expect(`${listed.out}${listed.err}`).not.toMatch(/hidden-header/);
    const newest = await run('executions', 'list', HOOK, '--json', '--limit', '1');
    expect(JSON.parse(newest.out)).toMatchObject([
      { uuid: HOOK, refs: ['main'], request_id: 'r-1' },
    ]);
    expect(newest.err).toBe('These are the 1 newest of 2: --limit 2 shows all.\n');
    expect((await run('replay', HOOK, `${ID}000`)).code).toBe(0);
  });

  it('lists cleanups by their date, with the branch', async () => {
    expect((await run('cleanups', 'list')).out).toBe(
      'There are no cleanups of deleted branches.\n',
    );
    await failedCleanup();
    const waits = 'b'.repeat(64);
    await redis.hset(cleanupKey(waits), {
      ...{ status: 'waiting', due: '1763928000000', accepted: '1763841600000001', hook: HOOK },
      ...{ project: 'PROJ', workflow: 'wf1', repository: 'jdoe/repo-0', branch: 'gone' },
      ...{ request_id: 'r-2' },
    });
    await redis.zadd(KEYS.cleanups, 1763928000000, waits);

    const { out, code } = await run('cleanups', 'list');

    expect(out.replaceAll(/ {2,}/g, '  ').split('\n').slice(1)).toEqual([
      `${waits}  waiting  2025-11-23T20:00:00Z  PROJ/wf1  jdoe/repo-0  gone  r-2`,
      `${CLEANUP}  failed  2025-11-23T20:00:00Z  PROJ/wf1  jdoe/repo-0  old [2Jone  refused`,
      '',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse((await run('cleanups', 'list', '--json', '--limit', '1')).out)).toMatchObject(
      [{ uuid: waits, hook: HOOK, branch: 'gone', request_id: 'r-2' }],
    );
  });

  it('goes on over what cannot be read, and refuses what it does not understand', async () => {
    await task(HOOK);
    await task(OTHER);
    await redis.sadd(KEYS.tasks, HOOK, OTHER);
    await redis.hset(hookKeys(OTHER).task, 'config', '{"pro');
    await execution(HOOK, ID, [change('dev')]);
    await redis.hset(hookKeys(HOOK).executions, ID, '{"timestamp":');
    await redis.zadd(hookKeys(HOOK).done, ID, ID);
    await redis.set(cleanupKey(CLEANUP), 'no hash');
    await redis.zadd(KEYS.cleanups, 1, CLEANUP);

    const tasks = await run('tasks', 'list', '--json');
    expect(JSON.parse(tasks.out)).toMatchObject([{ uuid: HOOK }]);
    expect(tasks.err).toContain(OTHER);
    expect((await run('executions', 'list', HOOK)).out).toContain(`${ID}000`);
    expect(await run('cleanups', 'list')).toMatchObject({ code: 0 });

    expect(await run('executions', 'list', 'f'.repeat(36))).toMatchObject({
      code: 1,
      err: expect.stringContaining('see engine hooks tasks list'),
    });
    for (const args of [
      ['tasks', 'list', '--limit', '0'],
      ['executions', 'list', HOOK, '--limit', 'x'],
      ['executions', 'list', '../x'],
      ['executions', 'list'],
      ['cleanups', 'list', '--limit', '10001'],
    ])
      expect((await run(...args)).code).toBe(2);
  });

  it('reads no more than it prints', async () => {
    await task(HOOK);
    const ids = Array.from({ length: 2_000 }, (_, i) => String(Number(ID) + i));
    const keys = hookKeys(HOOK);
    const text = JSON.stringify({
      timestamp: 1,
      type: 'RepoWebHook',
      accepted_at: 1,
      config: null,
    });
    await redis.hset(keys.executions, Object.fromEntries(ids.map((id) => [id, text])));
    await redis.rpush(keys.waiting, ...ids);
    await redis.sadd(KEYS.tasks, HOOK, ...ids);
    const commands = async () =>
      Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);

    await redis.config('RESETSTAT');
    const before = await commands();
    expect(
      JSON.parse((await run('executions', 'list', HOOK, '--json', '--limit', '5')).out),
    ).toHaveLength(5);
    expect((await commands()) - before).toBeLessThan(60);
    expect(await redis.info('commandstats')).not.toMatch(/cmdstat_(keys|smembers|hgetall|hkeys):/);
  });
});

describe('engine hooks dead-letters', () => {
  it('lists none, and all the newest first, without what was delivered', async () => {
    expect(await run('dead-letters', 'list')).toEqual({
      code: 0,
      out: 'There are no dead letters.\n',
      err: '',
    });
    expect((await run('dead-letters', 'list', '--json')).out).toBe('[]\n');

    await failedCleanup();
    await deadLetter(HOOK, ID);
    await deadLetter(OTHER, NEXT_ID, 'first line\nsecond\u009bline');

    const { out, err, code } = await run('dead-letters', 'list');
    expect(out.replaceAll(/ {2,}/g, '  ')).toBe(
      [
        'UUID  TIMESTAMP  KIND  FAILED AT  WORKFLOW  REPOSITORY  BRANCH OR TAG  REQUEST ID  ERRORS  LAST ERROR',
        `${OTHER}  ${NEXT_ID}000  execution  2025-11-22T20:01:00Z  PROJ/wf1  jdoe/repo-0  3  first line second line`,
        `${HOOK}  ${ID}000  execution  2025-11-22T20:01:00Z  PROJ/wf1  jdoe/repo-0  3  no such workflow`,
        `${CLEANUP}  1763841600000000000  cleanup  2025-11-23T20:00:00Z  PROJ/wf1  jdoe/repo-0  old [2Jone  3  refused`,
        '',
      ].join('\n'),
    );
    expect([err, code]).toEqual(['', 0]);
    expect(out).not.toContain('hidden-header');

    expect(JSON.parse((await run('dead-letters', 'list', HOOK, '--json')).out)).toEqual([
      expect.objectContaining({ kind: 'execution', uuid: HOOK, timestamp: Number(ID) * 1000 }),
      expect.objectContaining({ kind: 'cleanup', uuid: CLEANUP, branch: 'old\u001b[2Jone' }),
    ]);
    const limited = await run('dead-letters', 'list', '--limit', '1');
    expect(limited.out.split('\n')).toHaveLength(3);
    expect(limited.err).toBe('These are the 1 newest of 3: --limit 3 shows all.\n');
  });

  it('sends one again, once', async () => {
    await deadLetter(HOOK, ID);

    const first = await run('dead-letters', 'retry', HOOK, `${ID}000`);
    const second = await run('dead-letters', 'retry', HOOK, `${ID}000`);

    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^Sent again/) });
    expect(second).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('is no dead letter'),
    });
    expect(await redis.lrange(hookKeys(HOOK).waiting, 0, -1)).toEqual([ID]);
    expect(await redis.smembers(KEYS.pending)).toEqual([HOOK]);
    expect(await redis.get(KEYS.waitingTotal)).toBe('1');
    expect(JSON.parse((await redis.hget(hookKeys(HOOK).states, ID)) ?? '')).toMatchObject({
      status: '',
      retry_steps: [1],
      processing_timestamp: 0,
    });
    expect((await run('dead-letters', 'retry', HOOK, `${NEXT_ID}000`)).err).toContain(
      'there is no execution of this uuid and timestamp',
    );
  });

  it('sends all of one task again, or all', async () => {
    await deadLetter(HOOK, NEXT_ID);
    await deadLetter(HOOK, ID);
    await deadLetter(OTHER, ID);
    await failedCleanup();

    expect((await run('dead-letters', 'retry', '--all', OTHER, '--yes')).out).toBe(
      'Sent again: 1 execution, 0 cleanups.\n',
    );
    expect((await run('dead-letters', 'retry', '--all', '--yes')).out).toBe(
      'Sent again: 2 executions, 1 cleanup.\n',
    );
    expect(await redis.lrange(hookKeys(HOOK).waiting, 0, -1)).toEqual([ID, NEXT_ID]);
    expect(await redis.zscore(KEYS.cleanups, CLEANUP)).toBe('1763928000000');
    expect(await redis.zcard(KEYS.failedCleanups)).toBe(0);
  });

  it('drops one, or all', async () => {
    await deadLetter(HOOK, ID);
    await deadLetter(HOOK, NEXT_ID);
    await failedCleanup();

    expect(await run('dead-letters', 'drop', HOOK, `${ID}000`, '--yes')).toMatchObject({
      code: 0,
      out: 'Dropped.\n',
    });
    expect((await run('dead-letters', 'drop', '--all', '--yes')).out).toBe(
      'Dropped: 1 execution, 1 cleanup.\n',
    );
    expect(await redis.keys('*')).toEqual([hookKeys(HOOK).task]);
  });

  it.each([
    [['dead-letters', 'retry'], /name one dead letter \(retry UUID TIMESTAMP\) or all/],
    [['dead-letters', 'drop', HOOK], /name one dead letter \(drop UUID TIMESTAMP\) or all/],
    [['dead-letters', 'drop', HOOK, `${ID}000`, '--all'], /or all of them/],
    [['dead-letters', 'retry', HOOK, '17'], /"17" is no timestamp of an execution: .*ends in 000/],
    [['dead-letters', 'retry', 'a/b', `${ID}000`], /"a\/b" is no uuid of a task/],
    [['dead-letters', 'list', '--limit', '0'], /--limit takes a number from 1 to 10000/],
    [['dead-letters', 'lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
    [['replay', HOOK], /missing required argument 'timestamp'/],
    [['replay', HOOK, '0'], /"0" is no timestamp/],
    [['signature', 'reset', '../x'], /no uuid of a task/],
  ])('refuses %j with exit code 2', async (args, sentence) => {
    const { code, out, err } = await run(...args);

    expect(err).toMatch(sentence);
    expect([code, out]).toEqual([2, '']);
  });

  it('says what to do when Redis is away, falls silent, or the configuration is not complete', async () => {
    const port = await freePort();
    file = configFile(port);
    const away = await run('dead-letters', 'list');
    file = configFile(server.port);
    server.freeze();
    const silent = await run('dead-letters', 'retry', '--all', '--yes');
    server.thaw();
    const incomplete = await engine.call(['hooks', 'replay', HOOK, `${ID}000`]);

    expect(away).toMatchObject({ code: 1, out: '' });
    expect(away.err).toMatch(
      new RegExp(`^error: Redis at 127.0.0.1:${port} cannot be asked .*hooks.cache.redis`),
    );
    expect(silent).toMatchObject({ code: 1, out: '' });
    expect(silent.err).toContain('cannot be asked');
    expect(incomplete).toMatchObject({ code: 1, out: '' });
    expect(incomplete.err).toContain('name its file with --config');
  });

  it('takes the environment for the configuration too', async () => {
    await deadLetter(HOOK, ID);
    const env = {
      CDS_HOOKS_NAME: 'h',
      CDS_HOOKS_API_TOKEN: 't',
      CDS_HOOKS_CACHE_REDIS_HOST: `127.0.0.1:${server.port}`,
    };
    expect((await engine.call(['hooks', 'dead-letters', 'list'], env)).out).toContain(HOOK);
  });
});

describe('help', () => {
  it.each([
    [['hooks', '--help'], /dead-letters .*replay .*signature .*adopt/],
    [['hooks', 'dead-letters', '--help'], /list .*retry .*drop/],
    [['hooks', 'dead-letters', 'list', '--help'], /--config .*--json .*--limit/],
    [['hooks', 'dead-letters', 'retry', '--help'], /--all .*--config/],
    [['hooks', 'replay', '--help'], /<uuid> .*<timestamp>/],
    [['hooks', 'signature', 'reset', '--help'], /--config/],
    [['hooks', 'lost-deliveries', 'acknowledge', '--help'], /--config/],
  ])('has %j', async (args, text) => {
    const { code, out } = await engine.call(args);

    expect(out.replaceAll('\n', ' ')).toMatch(text);
    expect(code).toBe(0);
  });
});

describe('engine hooks replay', () => {
  it('appends a new execution of the same content, once a minute', async () => {
    await task(HOOK);
    await execution(HOOK, ID, [{ new: { type: 'branch' } }]);
    await redis.zadd(hookKeys(HOOK).done, ID, ID);

    const first = await run('replay', HOOK, `${ID}000`);
    const second = await run('replay', HOOK, `${ID}000`);

    const [replay = ''] = await redis.lrange(hookKeys(HOOK).waiting, 0, -1);
    expect(first.out).toMatch(`Replayed as execution ${replay}000:`);
    expect(second.out).toMatch(`within the last minute already, as execution ${replay}000.`);
    const source = JSON.parse((await redis.hget(hookKeys(HOOK).executions, ID)) ?? '');
    const stored = JSON.parse((await redis.hget(hookKeys(HOOK).executions, replay)) ?? '');
    expect(stored).toEqual({
      ...source,
      timestamp: Number(replay) * 1000,
      accepted_at: expect.any(Number),
      replay_of: Number(ID) * 1000,
    });
    expect(await redis.get(KEYS.waitingTotal)).toBe('1');
    expect(await run('replay', HOOK, `${replay}000`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('has not ended'),
    });
  });

  it.each([
    ['deletions alone', [{ old: { type: 'branch' }, new: null }], /only deletes branches/],
    ['no push at all', 'text', /cannot be read as a push/],
  ])('refuses a delivery with %s', async (_, changes, sentence) => {
    await task(HOOK);
    await execution(HOOK, ID, changes as unknown[]);
    await redis.zadd(hookKeys(HOOK).done, ID, ID);

    const { code, out, err } = await run('replay', HOOK, `${ID}000`);
    expect(err).toMatch(sentence);
    expect([code, out]).toEqual([1, '']);
    expect((await run('replay', HOOK, `${NEXT_ID}000`)).err).toContain('there is no execution');
  });
});

describe('engine hooks signature reset', () => {
  it('forgets that a task was signed', async () => {
    await task(HOOK);
    await redis.hset(hookKeys(HOOK).task, SIGNED_FIELD, '1');

    expect((await run('signature', 'reset', HOOK, '--yes')).out).toMatch(/^Forgotten: /);
    expect(await redis.hexists(hookKeys(HOOK).task, SIGNED_FIELD)).toBe(0);
    expect((await run('signature', 'reset', HOOK, '--yes')).out).toMatch(/^Nothing to forget/);
    expect(await run('signature', 'reset', OTHER, '--yes')).toMatchObject({
      code: 1,
      err: `error: there is no task ${OTHER}.\n`,
    });
  });
});

describe('engine hooks lost-deliveries acknowledge', () => {
  it('says what was lost and since when, and counts nothing as lost any more', async () => {
    await redis.mset(KEYS.lostTotal, 3, KEYS.lostSince, '1763841600000001');

    const { code, out } = await run('lost-deliveries', 'acknowledge', '--yes');
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('3 deliveries were lost, noticed since 2025-11-22T20:00:00.000Z'),
    ]);
    expect(await redis.exists(KEYS.lostTotal, KEYS.lostSince)).toBe(0);
    expect(await run('lost-deliveries', 'acknowledge', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Nothing to acknowledge/),
    });
  });

  it('says so where nobody has looked since when', async () => {
    await redis.incr(KEYS.lostTotal);
    expect((await run('lost-deliveries', 'acknowledge', '--yes')).out).toContain(
      '1 delivery was lost, since when is not known',
    );
  });

  it('leaves what it cannot read as it is', async () => {
    await redis.sadd(KEYS.lostTotal, 'no count');
    const { code, err } = await run('lost-deliveries', 'acknowledge', '--yes');
    expect([code, err]).toEqual([1, expect.stringContaining('cannot be asked (WRONGTYPE')]);
    expect(await redis.scard(KEYS.lostTotal)).toBe(1);
  });
});

describe('engine hooks adopt', () => {
  it('makes the state that of the CDS of the configuration alone, unless it cannot be read', async () => {
    await task(HOOK);
    await redis.hset(KEYS.mark, { format: '1', 'owner:another': String(Date.now()) });

    expect(await run('adopt', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Adopted: /),
    });
    const { format, made, ...owners } = await redis.hgetall(KEYS.mark);
    expect([format, made]).toEqual(['1', expect.stringMatching(/./)]);
    expect(Object.keys(owners)).toEqual([expect.stringMatching(/^owner:[0-9a-f]{32}$/)]);

    await redis.hset(KEYS.mark, 'format', '2');
    const before = await redis.hgetall(KEYS.mark);
    expect(await run('adopt', '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('format "2"'),
    });
    expect(await redis.hgetall(KEYS.mark)).toEqual(before);
  });
});

describe('with a database and a key prefix', () => {
  const PREFIX = 'acme:';
  let plain: Redis;

  beforeAll(() => {
    plain = redis;
    redis = new Redis(server.port, server.host, { db: 3, keyPrefix: PREFIX });
    const redisKeys = `dbindex = 3\nkeyPrefix = "${PREFIX}"`;
    writeFileSync(file, readyConfig({ redisPort: server.port, redis: redisKeys }));
  });
  afterAll(() => {
    redis.disconnect();
    redis = plain;
    writeFileSync(file, readyConfig({ redisPort: server.port }));
  });
  // Any other key, also one that a script makes up, is refused.
  beforeEach(() => plain.acl('SETUSER', 'default', 'resetkeys', `~${PREFIX}*`, '~hooks:*'));
  afterEach(() => plain.acl('SETUSER', 'default', 'allkeys'));

  it('does all that it does without', async () => {
    await deadLetter(HOOK, ID);
    await deadLetter(HOOK, NEXT_ID);
    await failedCleanup();
    expect(JSON.parse((await run('dead-letters', 'list', '--json')).out)).toHaveLength(3);
    expect((await run('dead-letters', 'retry', HOOK, `${ID}000`)).code).toBe(0);
    expect((await run('dead-letters', 'drop', '--all', '--yes')).out).toBe(
      'Dropped: 1 execution, 1 cleanup.\n',
    );
    await redis.lrem(hookKeys(HOOK).waiting, 1, ID);
    await redis.zadd(hookKeys(HOOK).done, ID, ID);
    expect((await run('replay', HOOK, `${ID}000`)).code).toBe(0);
    await redis.hset(hookKeys(HOOK).task, SIGNED_FIELD, '1');
    expect((await run('signature', 'reset', HOOK, '--yes')).out).toMatch(/^Forgotten: /);
    expect(await redis.exists(cleanupKey(CLEANUP))).toBe(0);
    await redis.incr(KEYS.lostTotal);
    expect((await run('lost-deliveries', 'acknowledge', '--yes')).out).toContain(
      '1 delivery was lost',
    );
    expect(await redis.exists(KEYS.lostTotal)).toBe(0);
  });

  it("imports what CDS's own hooks left in that database, under names without a prefix", async () => {
    const own = plain.duplicate({ db: 3 });
    const reference = referenceHooks(own);
    const config = { project: 'PROJ', workflow: 'wf1', repoFullName: 'jdoe/repo-0' };
    await reference.task('RepoWebHook', HOOK, config);
    const timestamp = `${Date.now() - 1_000}000000`;
    const webhook = { body: '{"push":{"changes":[]}}', headers: { 'X-Event-Key': 'repo:push' } };
    await reference.execution({ type: 'RepoWebHook', uuid: HOOK, timestamp, config, webhook });
    const of = { project: 'PROJ', workflow: 'wf1', branch: 'old' };
    await reference.branchDeletion({ ...of, due: `${Date.now() + 3_600_000}000000` }, '1');

    const { err, code } = await run('import');

    expect([err, code]).toEqual([expect.any(String), 0]);
    expect(await redis.llen(hookKeys(HOOK).waiting)).toBe(1);
    expect(await redis.zcard(KEYS.cleanups)).toBe(1);
    const keys = await own.keys('*');
    own.disconnect();
    expect(keys.filter((key) => !/^(acme:cdsbb:hooks|hooks):/.test(key))).toEqual([]);
  });
});
