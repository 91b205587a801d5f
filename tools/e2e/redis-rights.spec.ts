import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import {
  createTestCa,
  freePort,
  type OtlpReceiver,
  startOtlpReceiver,
  startTestRedis,
  type TestRedis,
  waitFor,
} from '@cds/testing';
import { Redis } from 'ioredis';
import {
  createWorkflow,
  outcomes,
  pendingCleanups,
  PROJECT,
  REPO,
  type Replica,
  root,
  runsOf,
  type Stack,
  startStack,
} from './stack.fixture';

/** The rules that the operator guide gives to `vcs` and `hooks`, as it is written there. */
const RULES = [
  ...readFileSync(join(root, 'docs', 'operator-guide.md'), 'utf8').matchAll(
    /^ACL SETUSER (vcs|hooks) on >PASSWORD (.+)$/gm,
  ),
].map(([, user = '', rules = '']) => ({ user, rules: rules.split(' ') }));

/** What a service may be refused: it does without. */
const REFUSED = ['config|get', 'info'];

interface Denied {
  object: string;
  username: string;
}

const isOnPath = (command: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));

const SERVERS = [
  { command: 'redis-server', prefix: '', without: [] },
  // A hosted Redis may forbid them.
  { command: 'redis-server', prefix: 'acme:', without: ['-info', '-select'] },
  { command: 'valkey-server', prefix: '', without: [] },
];
const present = SERVERS.filter(({ command }) => isOnPath(command));
const absent = SERVERS.filter((server) => !present.includes(server));
if (absent.length > 0)
  it.skip.each(absent)('the rights that the guide gives: there is no $command on PATH', () => {
    // Skipped.
  });

describe.each(present)('the rights that the guide gives, $command $prefix $without', (server) => {
  const { command, prefix, without } = server;
  let folder: string;
  let redis: TestRedis;
  let receiver: OtlpReceiver;
  let admin: Redis;
  let stack: Stack;
  const running: Record<string, Replica> = {};
  /** Users, passwords and TLS of both services. */
  let env: Record<string, string> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cds-e2e-rights-'));
    const ca = createTestCa(folder);
    const { certFile, keyFile } = ca.issue('redis');
    const tlsPort = await freePort();
    const tls = ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no'];
    redis = await startTestRedis({
      command,
      appendonly: true,
      args: [
        ...tls,
        ...['--tls-cert-file', certFile, '--tls-key-file', keyFile],
        ...['--tls-ca-cert-file', ca.caCertFile],
      ],
    });
    admin = new Redis(redis.url);
    // Traces need a right of their own.
    receiver = await startOtlpReceiver();
    env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '20' };
    for (const { user, rules } of RULES) {
      const own = rules.map((rule) => rule.replace(/^(.*~)/, `$1${prefix}`));
      await admin.acl('SETUSER', user, 'reset', 'on', `>p@ss of ${user}`, ...own, ...without);
      const under = `CDS_${user.toUpperCase()}_CACHE_REDIS`;
      env[`${under}_HOST`] = `rediss://${user}:p%40ss%20of%20${user}@127.0.0.1:${tlsPort}/0`;
      env[`${under}_TLSCACERTFILE`] = ca.caCertFile;
    }
    stack = await startStack({
      api: { cds: '0.41' },
      branchDeletionDelaySeconds: 1,
      shared: { redis, keyPrefix: prefix },
    });
  });
  afterAll(async () => {
    await stack.stop();
    await receiver.stop();
    admin.disconnect();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function denied(): Promise<string[]> {
    const log = (await admin.acl('LOG', '100')) as unknown as string[][];
    return log
      .map((entry) => Object.fromEntries(pairs(entry)) as unknown as Denied)
      .filter(({ object }) => !REFUSED.includes(object))
      .map(({ username, object }) => `${username}: ${object}`);
  }

  async function push(): Promise<void> {
    expect(await outcomes(await stack.bitbucket.push({ repo: REPO, branch: 'dev' }))).toEqual([
      200,
    ]);
  }

  const statusOf = async (name: 'vcs' | 'hooks'): Promise<string> => {
    const port = name === 'vcs' ? stack.settings.vcsPort : stack.settings.hooksPort;
    return (await fetch(`http://127.0.0.1:${port}/mon/status`)).text();
  };

  it('are enough for a push, a cleanup and a restart of both, over TLS', async () => {
    expect(RULES.map(({ user }) => user)).toEqual(['vcs', 'hooks']);
    const { vcs, hooks } = await stack.startLinked(env);
    await createWorkflow(stack, 'builds');
    await push();
    await runsOf(stack, 'builds', 1);
    await outcomes(await stack.bitbucket.deleteBranch({ repo: REPO, branch: 'dev' }));
    await waitFor(() => stack.api.runs(PROJECT, 'builds').length === 0, { what: 'the cleanup' });
    await waitFor(async () => (await pendingCleanups(stack)).length === 0, { what: 'its end' });

    expect(await Promise.all([vcs.stop(), hooks.stop()])).toEqual([0, 0]);
    running['vcs'] = await stack.start('vcs', { env });
    running['hooks'] = await stack.start('hooks', { env });
    await waitFor(() => statusOf('hooks'), { what: 'hooks to listen' });
    await waitFor(() => statusOf('vcs'), { what: 'vcs to listen' });
    await stack.registered(2);
    await push();
    await runsOf(stack, 'builds', 1);
    await waitFor(() => receiver.spans().some(({ name }) => name === 'send build status'), {
      what: 'the trace of a status',
    });

    expect(await denied()).toEqual([]);
    const printed = [vcs, hooks].map(({ process }) => process.stdout()).join('');
    expect(printed).not.toMatch(/p@ss|p%40ss/);
    expect(printed).not.toContain('"level":"error"');
  });

  it.each([
    ['hooks', 'zadd', /a command of a script|zadd/],
    ['vcs', 'set', /set/],
  ] as const)('%s says at AL, and once as ERROR, that it lacks %s', async (name, right, named) => {
    await admin.acl('SETUSER', name, `-${right}`);
    const lines = () => (running[name]?.process.stdout() ?? '').split('\n');
    const errors = () => lines().filter((text) => /"msg":"Redis refuses a right/.test(text));
    const redisLine = async () =>
      /\{[^{}]*"component":"Redis"[^{}]*\}/.exec(await statusOf(name))?.[0] ?? '';
    await waitFor(
      async () => {
        await stack.bitbucket.push({ repo: REPO, branch: 'dev' });
        return (await redisLine()).includes('its user lacks a permission (NOPERM)');
      },
      { what: 'the line' },
    );

    expect(await redisLine()).toContain('"status":"AL"');
    expect(await redisLine()).toMatch(named);
    expect(new Set(errors()).size).toBe(errors().length);
    expect(errors()[0]).toMatch(named);
    expect(errors()[0]).toContain('"level":"error"');
    await admin.acl('SETUSER', name, `+${right}`);
  });
});

/** Field, value, field, value … */
function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((field, index) =>
    index % 2 === 0 ? [[field, flat[index + 1] ?? ''] as [string, string]] : [],
  );
}
