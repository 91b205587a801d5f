import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NEW_STATE } from '@cds/hooks-store';
import { cleanupKey, hookKeys, KEYS, SIGNED_FIELD } from '@cds/hooks-store/keys';
import { vcsKeys } from '@cds/redis';
import { referenceHooks, startTestRedis, type TestRedis } from '@cds/testing';
import type { Command } from 'commander';
import Redis from 'ioredis';
import { bundleEngine, PLAIN_PATH, readyConfig, type Engine } from '../test/engine.fixture';
import { createProgram } from './program';

const HOOK = '0e9a4f4c-56b8-4ba6-9e6b-0f0b6f2a4d11';
const OTHER = '11111111-56b8-4ba6-9e6b-0f0b6f2a4d11';
const CLEANUP = 'a'.repeat(64);
const IDS = ['1763841600000001', '1763841600000002', '1763841600000003'];
const ENDED_ID = '1763841600000004';
const SCRIPT = '/usr/bin/script';

let engine: Engine;
let server: TestRedis;
let redis: Redis;
let file: string;

beforeAll(async () => {
  engine = bundleEngine();
  server = await startTestRedis();
  redis = new Redis(server.port, server.host);
  file = join(engine.folder(), 'config.toml');
  writeFileSync(file, readyConfig({ redisPort: server.port }));
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  engine.remove();
});

const run = (...args: string[]) => engine.call([...args, '--config', file]);

/** Everything in Redis, and how often something was written to it. */
async function stateOfRedis(): Promise<object> {
  const content: Record<string, unknown> = {};
  for (const key of (await redis.keys('*')).sort()) content[key] = await redis.dump(key);
  const writes = /rdb_changes_since_last_save:(\d+)/.exec(await redis.info('persistence'))?.[1];
  return { content, writes };
}

async function execution(id: string, failed: boolean): Promise<void> {
  const keys = hookKeys(HOOK);
  const webhook = {
    ...{ request_url: '', request_method: '', request_header: { 'X-Event-Key': ['repo:push'] } },
    request_body: Buffer.from('{"push":{"changes":[{"new":{}}]}}').toString('base64'),
  };
  const stored = { timestamp: Number(id) * 1000, type: 'RepoWebHook', config: {}, webhook };
  await redis.hset(keys.executions, id, JSON.stringify({ ...stored, accepted_at: 1 }));
  const state = { ...NEW_STATE, status: 'DONE', nb_errors: 3, last_error: 'no', failed };
  await redis.hset(keys.states, id, JSON.stringify(state));
}

/** Dead letters, a cleanup that failed, and all else that commands act on. */
async function fill(): Promise<void> {
  await server.flush();
  const keys = hookKeys(HOOK);
  const value = (text: string) => ({ value: text });
  const config = { project: value('PROJ'), workflow: value('wf1'), repoFullName: value('a/b') };
  await redis.hset(keys.task, { type: 'RepoWebHook', config: JSON.stringify(config) });
  await redis.hset(keys.task, { stopped: '0', [SIGNED_FIELD]: '1' });
  for (const id of IDS) {
    await execution(id, true);
    await redis.zadd(KEYS.failed, id, `${HOOK}/${id}`);
    await redis.zadd(keys.dead, id, id);
  }
  await execution(ENDED_ID, false);
  await redis.zadd(keys.done, ENDED_ID, ENDED_ID);
  await redis.hset(cleanupKey(CLEANUP), {
    ...{ status: 'failed', due: '1763928000000', accepted: '1763841600000000', hook: HOOK },
    ...{ project: 'PROJ', workflow: 'wf1', repository: 'a/b', branch: 'old', nb_errors: '3' },
    ...{ last_error: 'refused', processed: '1763928000000' },
  });
  await redis.zadd(KEYS.failedCleanups, 1763928000000, CLEANUP);
  await redis.mset(KEYS.lostTotal, 3, KEYS.lostSince, '1763841600000001');
  for (const mark of [KEYS.mark, vcsKeys.state])
    await redis.hset(mark, { format: '1', 'owner:another': String(Date.now()) });
  await referenceHooks(redis).task('RepoWebHook', OTHER, {
    ...{ project: 'PROJ', workflow: 'wf2', repoFullName: 'a/c' },
  });
}

beforeEach(fill);

/** What destroys or acts on all. */
const ASKS = /drop|--all|adopt|reset|acknowledge/;

/** What each command that writes says that it would do. */
const ACTIONS: [string, string[], RegExp, object][] = [
  [
    'hooks dead-letters retry',
    ['--all'],
    /be sent again, and nothing was written: 3 executions, 1 cleanup\.$/m,
    { executions: 3, cleanups: 1 },
  ],
  [
    'hooks dead-letters retry',
    [HOOK, `${IDS[0]}000`],
    /be sent again, and nothing was written: 1 execution, 0 cleanups\.$/m,
    { executions: 1, cleanups: 0 },
  ],
  [
    'hooks dead-letters drop',
    ['--all', HOOK],
    /be removed for good, and nothing was written: 3 executions, 1 cleanup\.$/m,
    { executions: 3, cleanups: 1 },
  ],
  [
    'hooks dead-letters drop',
    [CLEANUP, '1763841600000000000'],
    /be removed for good, and nothing was written: 0 executions, 1 cleanup\.$/m,
    { executions: 0, cleanups: 1 },
  ],
  ['hooks replay', [HOOK, `${ENDED_ID}000`], /would be replayed/, { uuid: HOOK, replayed: 0 }],
  ['hooks signature reset', [HOOK], /would be forgotten/, { uuid: HOOK, was_signed: true }],
  [
    'hooks lost-deliveries acknowledge',
    [],
    /^To acknowledge: 3 deliveries were lost/,
    { deliveries: 3 },
  ],
  ['hooks adopt', [], /names another API/, { service: 'hooks', owner_before: 'other' }],
  ['vcs adopt', [], /names another API/, { service: 'vcs', owner_before: 'other' }],
  ['hooks import', [], /nothing was written/, {}],
];

it.each(ACTIONS)('%s %j --dry-run says what it would do, and does nothing', async (...of) => {
  const [command, args, sentence, fields] = of;
  const before = await stateOfRedis();

  const { code, out } = await run(...command.split(' '), ...args, '--dry-run');
  const json = JSON.parse((await run(...command.split(' '), ...args, '--dry-run', '--json')).out);

  expect([code, out]).toEqual([0, expect.stringMatching(sentence)]);
  expect(json).toMatchObject({ dry_run: true, ...fields });
  expect(await stateOfRedis()).toEqual(before);

  // What it does is what it said.
  const said = Object.fromEntries(
    Object.entries(json).filter(([name]) => !['dry_run', 'dead_letters'].includes(name)),
  );
  const yes = ASKS.test([command, ...args].join(' ')) ? ['--yes'] : [];
  const done = JSON.parse((await run(...command.split(' '), ...args, '--json', ...yes)).out);
  if (Object.keys(fields).length > 0)
    expect(done).toMatchObject({ ...said, ...('replayed' in said && { replayed: 1 }) });
  expect(await stateOfRedis()).not.toEqual(before);
});

it('says by a dry run what it would refuse', async () => {
  const before = await stateOfRedis();
  const letters = ['hooks', 'dead-letters', 'retry', HOOK];

  expect((await run(...letters, `${ENDED_ID}000`, '--dry-run')).err).toContain('is no dead letter');
  expect((await run(...letters, '1000', '--dry-run')).err).toContain('there is no execution');
  expect((await run('hooks', 'replay', HOOK, '1000', '--dry-run')).err).toContain(
    'there is no execution',
  );
  expect((await run('hooks', 'signature', 'reset', CLEANUP, '--dry-run')).err).toContain(
    'there is no task',
  );
  expect(await stateOfRedis()).toEqual(before);
});

it('replays once a minute, as a dry run says', async () => {
  const args = ['hooks', 'replay', HOOK, `${ENDED_ID}000`];
  expect((await run(...args)).code).toBe(0);
  expect((await run(...args, '--dry-run')).out).toContain('within the last minute already');
});

it.each(ACTIONS.filter(([command, args]) => ASKS.test([command, ...args].join(' '))))(
  'refuses %s %j without --yes where there is no terminal',
  async (command, args) => {
    const before = await stateOfRedis();
    const { code, out, err } = await run(...command.split(' '), ...args);

    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/no terminal to ask at: say --yes, or look first with --dry-run/);
    expect(await stateOfRedis()).toEqual(before);
  },
);

(existsSync(SCRIPT) ? describe : describe.skip)('at a terminal (script of util-linux)', () => {
  /** Answers the question as a person does. */
  function answer(args: string[], typed: string): Promise<{ code: number | null; shown: string }> {
    const command = [process.execPath, join(engine.home, 'main.js'), ...args, '--config', file];
    const child = spawn(SCRIPT, ['-qefc', command.join(' '), '/dev/null'], {
      env: { PATH: PLAIN_PATH, TERM: 'dumb', SHELL: '/bin/sh' },
    });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const isNew = !shown.includes('[y/N]');
      shown += chunk.toString();
      if (isNew && shown.includes('[y/N]')) child.stdin.write(typed);
    });
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, shown })));
  }
  const DROP = ['hooks', 'dead-letters', 'drop', '--all'];

  it.each(['n\r', '\r', 'yesterday\r', '\u0003', '\u0004'])(
    'keeps everything after the answer %j',
    async (typed) => {
      const before = await stateOfRedis();
      const { code, shown } = await answer(DROP, typed);

      expect(shown).toContain('Remove 3 executions, 1 cleanup for good? [y/N]');
      expect(shown).toContain('nothing was changed');
      expect(code).toBe(1);
      expect(await stateOfRedis()).toEqual(before);
    },
  );

  it('does it after a yes', async () => {
    expect(await answer(DROP, 'y\r')).toMatchObject({
      code: 0,
      shown: expect.stringContaining('Dropped: 3 executions, 1 cleanup.'),
    });
    const asked: [string, RegExp, RegExp][] = [
      ['dead-letters retry --all', /Send 3 executions, 1 cleanup again\?/, /Sent again: 3 exec/],
      [
        `dead-letters drop ${CLEANUP} 1763841600000000000`,
        /Remove 0 executions, 1 cleanup for/,
        /Dropped\./,
      ],
      ['lost-deliveries acknowledge', /Forget that 3 deliveries were lost\?/, /Acknowledged: 3/],
      [`signature reset ${HOOK}`, /Take unsigned deliveries of this task again\?/, /Forgotten: /],
    ];
    await fill();
    for (const [command, question, done] of asked.toReversed()) {
      const { shown } = await answer(['hooks', ...command.split(' ')], 'y\r');
      expect(shown).toMatch(question);
      expect(shown).toMatch(done);
      if (command.includes('drop')) await fill();
    }
    const { code, shown } = await answer(['hooks', 'adopt'], 'yes\r');
    expect(shown).toContain('Make it that of this CDS, and of no other? [y/N]');
    expect([code, await redis.hexists(KEYS.mark, 'owner:another')]).toEqual([0, 0]);
  });

  it('asks nothing where there is nothing to destroy', async () => {
    await server.flush();
    expect((await answer(DROP, '')).shown).toContain('Dropped: 0 executions, 0 cleanups.');
    expect((await answer(['hooks', 'adopt'], '')).shown).toContain('Adopted: ');
  });
});

describe('every command', () => {
  const context = { env: {}, out: () => undefined, say: () => undefined, home: '', ownFiles: [] };
  /** Each command that does something, by its words. */
  function leaves(command: Command, above: string[] = []): [string, Command][] {
    const path = [...above, command.name()];
    if (command.commands.length === 0) return [[path.slice(1).join(' '), command]];
    return command.commands.flatMap((each) => leaves(each, path));
  }
  const commands = leaves(createProgram(context, () => undefined));
  const READERS = [
    ...['config check', 'doctor', 'vcs webhook', 'hooks dead-letters list', 'hooks tasks list'],
    ...['hooks executions list', 'hooks cleanups list', 'hooks why', 'version'],
  ];
  const OTHERS = ['config new', 'start', 'completion'];
  const writers = [...new Set(ACTIONS.map(([command]) => command))];

  it('is one that reads, one whose dry run is tested above, or one of three others', () => {
    expect(commands.map(([path]) => path).sort()).toEqual(
      [...READERS, ...writers, ...OTHERS].sort(),
    );
  });

  it.each(commands.filter(([path]) => !OTHERS.includes(path)))('%s has --json', (path, command) => {
    const options = command.options.map(({ long }) => long);
    expect(options).toContain('--json');
    if (writers.includes(path)) expect(options).toContain('--dry-run');
  });
});
