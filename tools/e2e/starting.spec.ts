import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { printConfig } from '@cds/config';
import { ADDRESS_TIMEOUT_MS } from '@cds/network';
import { describeShared, freePort, startProcess, waitFor, type RunningProcess } from '@cds/testing';
import { fillIn } from '../sandbox/story/fill-in';
import { serviceConfig, serviceEnvironment } from '../sandbox/story/service-config';
import { REFERENCE_SHAPED_CONFIG } from './reference-config.fixture';
import {
  bundle,
  createWorkflow,
  outcomes,
  PROJECT,
  REPO,
  runsOf,
  SERVICES,
  startStack,
  type Stack,
} from './stack.fixture';

/** Writes down at the end of a process how long it gives each address of a host for a handshake. */
const TELL_HANDSHAKE = `
const { appendFileSync } = require('node:fs');
const { getDefaultAutoSelectFamilyAttemptTimeout: timeout } = require('node:net');
process.on('exit', () => appendFileSync(__dirname + '/handshakes', timeout() + '\\n'));
`;

let stack: Stack;
/** For each test of one `describe`. */
function startsStacks(): void {
  beforeEach(async () => {
    stack = await startStack({ api: { cds: '0.41' } });
  });
  afterEach(() => stack?.stop());
}

/** Both services do their part: linked, pushed, built. */
async function expectTheWayWorks(): Promise<void> {
  await stack.registered(2);
  await stack.api.linkProject(PROJECT);
  await createWorkflow(stack, 'w');
  const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'dev' });
  expect(await outcomes(pushed)).toEqual([200]);
  await runsOf(stack, 'w', 1);
  await waitFor(
    () => stack.bitbucket.statuses(REPO, pushed.hash).some(({ state }) => state === 'SUCCESSFUL'),
    { what: 'the build status' },
  );
}

/** What the command says of both services while they run, and of the push. */
async function expectTheyAreFoundToWork(file: string): Promise<void> {
  const ask = async <T>(...args: string[]): Promise<T> => {
    const asked = await stack.run([bundle('engine'), ...args, '--config', file, '--json']);
    await asked.exited;
    return JSON.parse(asked.stdout()) as T;
  };
  interface Finding {
    id: string;
    status: string;
  }
  const wanted = [
    ...['redis.rights', 'redis.state', 'service', 'bitbucket.grant'],
    ...['webhook', 'webhook.delivery'],
  ];
  const findings = await waitFor(
    async () => {
      const found = await ask<Finding[]>('doctor', '--repository', REPO);
      const fine = found.filter(({ status }) => status === 'ok').map(({ id }) => id);
      return wanted.every((id) => fine.includes(id)) ? found : undefined;
    },
    { what: 'all that doctor asks to be well' },
  );
  // Bitbucket is on this machine here.
  const failed = findings.filter(({ status }) => status === 'failed');
  expect(failed).toEqual([expect.objectContaining({ id: 'public.name' })]);

  const hook = await waitFor(
    async () => {
      const [only] = (await ask<{ hooks: { events: object[] }[] }>('hooks', 'why', REPO)).hooks;
      return JSON.stringify(only).includes('"state":"SUCCESSFUL"') ? only : undefined;
    },
    { what: 'the status to be remembered' },
  );
  expect(hook.events).toEqual([
    expect.objectContaining({ result: 'run', workflow_run: 1, refs: ['dev'] }),
  ]);
}

/**
 * Fills in what an operator fills in; what this project adds to the reference's keys comes from the
 * environment.
 */
async function startReferenceConfig(printed: string): Promise<void> {
  const { settings } = stack;
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const redis = `127.0.0.1:${settings.redisPort}`;
  const consumer = 'vcs.servers.bitbucketcloud.bitbucket_cloud';
  const text = fillIn(printed, {
    'vcs.URL': url(settings.vcsPort),
    'vcs.name': 'from-reference-vcs',
    'vcs.api.token': settings.token,
    'vcs.api.http.url': settings.apiUrl,
    'vcs.cache.redis.host': redis,
    'vcs.http.port': settings.vcsPort,
    [`${consumer}.clientId`]: settings.bitbucket.clientId,
    [`${consumer}.clientSecret`]: settings.bitbucket.clientSecret,
    'hooks.URL': url(settings.hooksPort),
    'hooks.urlPublic': url(settings.hooksPort),
    'hooks.name': 'from-reference-hooks',
    'hooks.api.token': settings.token,
    'hooks.api.http.url': settings.apiUrl,
    'hooks.cache.redis.host': redis,
    'hooks.http.port': settings.hooksPort,
  });
  const file = stack.writeFile('conf.toml', text);
  const prefix = 'CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD';
  for (const name of SERVICES)
    await stack.run([bundle(name), '--config', file], {
      [`${prefix}_APIURL`]: settings.bitbucket.apiUrl,
      [`${prefix}_OAUTHURL`]: settings.bitbucket.oauthUrl,
    });
  await expectTheWayWorks();
  expect(
    stack.api
      .services()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['from-reference-hooks', 'from-reference-vcs']);
}

describe('the services start', () => {
  startsStacks();

  it('from the environment alone, and npm start plays with services that are started elsewhere', async () => {
    const [api, bitbucket] = [await freePort(), await freePort()];
    const settings = {
      ...stack.settings,
      apiUrl: `http://127.0.0.1:${api}`,
      bitbucket: {
        ...stack.settings.bitbucket,
        apiUrl: `http://127.0.0.1:${bitbucket}/2.0`,
        oauthUrl: `http://127.0.0.1:${bitbucket}/site/oauth2`,
      },
    };
    for (const name of SERVICES)
      await stack.run([bundle(name)], serviceEnvironment(settings, [name]));
    const sandbox = await stack.run([bundle('sandbox'), '--once'], {
      SANDBOX_SERVICES: 'external',
      SANDBOX_API_URL: settings.apiUrl,
      SANDBOX_BITBUCKET_URL: `http://127.0.0.1:${bitbucket}`,
      SANDBOX_PAGE_PORT: String(await freePort()),
    });
    const { code } = await sandbox.exited;
    // Linked, pushed, built: it ends at the first of these that does not come about.
    expect(sandbox.stdout()).toContain('The whole way works.');
    expect(code).toBe(0);
  });

  it('from one file, by one command, and end with it', async () => {
    const file = stack.writeFile(
      'conf.toml',
      serviceConfig(printConfig({ services: ['vcs', 'hooks'], cds: '0.41' }), stack.settings),
    );
    const engine = await stack.run([bundle('engine'), 'start', 'vcs', 'hooks', '--config', file], {
      NODE_OPTIONS: `--require ${stack.writeFile('tell.cjs', TELL_HANDSHAKE)}`,
      HEALTH_FOLDER: dirname(file),
    });
    await expectTheWayWorks();
    // The ports are those of the file, which the health check of an image cannot read.
    for (const service of SERVICES)
      expect(readFileSync(join(dirname(file), `cds-${service}`), 'utf8')).toBe(
        `127.0.0.1/${stack.settings[`${service}Port`]}\n`,
      );
    await expectTheyAreFoundToWork(file);

    const secrets = [stack.settings.token, stack.settings.bitbucket.clientSecret];
    const registrations = JSON.stringify(stack.api.services());
    for (const secret of [...secrets, stack.api.vcsLink(PROJECT).accessToken])
      expect(`${engine.stdout()}${engine.stderr()}${registrations}`).not.toContain(secret);
    engine.kill('SIGTERM');
    expect((await engine.exited).code).toBe(0);
    // Of the command and of both services.
    expect(readFileSync(join(dirname(file), 'handshakes'), 'utf8')).toBe(
      `${ADDRESS_TIMEOUT_MS}\n`.repeat(3),
    );
  });

  it('of a group again when one ended in an outage of the API, which hooks outlives', async () => {
    // As an API does whose database was set up anew: what it refuses counts from the first time.
    stack.api.faults.order({
      fault: {
        kind: 'answer',
        status: 401,
        contentType: 'application/json',
        body: JSON.stringify({ id: 10, message: 'not authenticated', uuid: 'u', data: null }),
      },
      path: '/services/register',
      count: 100_000,
    });
    const text = printConfig({ services: ['vcs', 'hooks'], cds: '0.41' });
    const file = stack.writeFile('conf.toml', serviceConfig(text, stack.settings));
    const engine = await stack.run([bundle('engine'), 'start', 'vcs', 'hooks', '--config', file], {
      CDS_VCS_API_MAXHEARTBEATFAILURES: '0',
      CDS_HOOKS_API_MAXHEARTBEATFAILURES: '0',
    });
    const logged = (service: string, msg: RegExp) =>
      engine
        .stdout()
        .split('\n')
        .slice(0, -1)
        // Each line of the output is JSON as it stands.
        .map((line) => JSON.parse(line) as { service: string; msg: string })
        .filter((line) => line.service === service && msg.test(line.msg)).length;
    await waitFor(() => logged('engine', /starting it again/) >= 2, {
      what: 'the second end of vcs',
    });

    const alive = await fetch(`http://127.0.0.1:${stack.settings.hooksPort}/mon/version`);
    expect(alive.status).toBe(200);
    stack.api.faults.clear();
    await expectTheWayWorks();

    expect(logged('hooks', /^listening$/)).toBe(1);
    expect(logged('vcs', /^listening$/)).toBeGreaterThan(2);
    engine.kill('SIGTERM');
    expect((await engine.exited).code).toBe(0);
  });

  it('from a configuration in the shape that the reference prints', () =>
    startReferenceConfig(REFERENCE_SHAPED_CONFIG));
});

describeShared('the services start from what the reference prints', (shared) => {
  startsStacks();

  it('once its placeholders are filled', () => {
    const read = (name: string): string =>
      readFileSync(join(shared, 'contract', `config-new-${name}.toml`), 'utf8');
    // Each file has the sections of one service and the log's, which may stand once only.
    const hooks = read('hooks');
    const [start, end] = [hooks.indexOf('[hooks]'), hooks.search(/^\[log\]/m)];
    const ofHooks = end > start ? hooks.slice(start, end) : hooks.slice(start);
    return startReferenceConfig(`${read('vcs')}\n${ofHooks}`);
  });
});

describe.each(SERVICES)('the bundle of %s', (service) => {
  const run = (args: string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [bundle(service), ...args], {
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
      timeout: 10_000,
    });

  it('explains itself', () => {
    const { status, stdout } = run(['--help']);
    expect(stdout).toContain(`usage: ${service} [--config FILE]`);
    expect(status).toBe(0);
  });

  it('refuses what it does not know', () => {
    const { status, stderr } = run(['--port', '1']);
    expect(stderr).toContain("'--port'");
    expect(stderr).toContain(`usage: ${service}`);
    expect(status).toBe(2);
  });

  it('names everything that is wrong with its configuration', () => {
    const { status, stderr } = run([], { [`CDS_${service.toUpperCase()}_HTTP_PORT`]: '99999' });
    expect(stderr).toContain(`${service}: ${service}.name`);
    expect(stderr).toContain(`${service}: CDS_${service.toUpperCase()}_HTTP_PORT`);
    expect(status).toBe(1);
  });
});

describe('npm start', () => {
  let sandbox: RunningProcess;
  const start = async (args: string[] = [], PATH = process.env['PATH']) =>
    (sandbox = await startProcess({
      command: process.execPath,
      args: [bundle('sandbox'), ...args],
      env: { PATH, NODE_ENV: 'production' },
      cwd: tmpdir(),
    }));
  afterEach(async () => {
    sandbox.kill('SIGKILL');
    await sandbox.exited;
  });

  it('tells the whole way and ends', async () => {
    await start(['--once']);
    const { code } = await sandbox.exited;
    expect(sandbox.stdout()).toContain('The whole way works.');
    expect(sandbox.stdout()).toContain('2 runs of feature-login were removed');
    expect(code).toBe(0);
  });

  it('stays up, with its addresses printed, until it is told to stop', async () => {
    await start();
    await sandbox.waitForOutput('It stays up until Ctrl-C');
    const [, hooks = ''] = await sandbox.waitForOutput(/(http:\S+)\/mon\/status/);
    expect((await fetch(`${hooks}/mon/version`)).status).toBe(200);
    sandbox.kill('SIGINT');
    expect((await sandbox.exited).code).toBe(0);
    await expect(fetch(`${hooks}/mon/version`)).rejects.toThrow('fetch failed');
  });

  it('stops without a word about it in the midst of the story', async () => {
    await start();
    await sandbox.waitForOutput('is connected to Bitbucket Cloud');
    sandbox.kill('SIGINT');
    expect((await sandbox.exited).code).toBe(0);
    expect(sandbox.stdout()).toMatch(/Stopping …\n$/);
  });

  it('says what failed, and shows the log, when the services end', async () => {
    await start(['--once']);
    // While the story waits for them: later, a call that breaks might be what it tells of.
    await sandbox.waitForOutput('The services register with the CDS API');
    const children = readFileSync(`/proc/${sandbox.pid}/task/${sandbox.pid}/children`, 'utf8');
    const engine = children
      .trim()
      .split(' ')
      .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine'));
    process.kill(Number(engine), 'SIGTERM');
    expect((await sandbox.exited).code).toBe(1);
    expect(sandbox.stdout()).toMatch(/✖ .*the services are gone: .*ended with/);
    expect(sandbox.stdout()).toContain('The last lines of the services');
  });

  it('says what is missing when the story cannot go on', async () => {
    await start(['--once'], '/nowhere');
    expect((await sandbox.exited).code).toBe(1);
    expect(sandbox.stdout()).toContain('redis-server cannot be started');
  });
});
