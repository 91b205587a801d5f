import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfigText, printConfig } from '@cds/config';
import { freePort, startProcess, waitFor, type RunningProcess } from '@cds/testing';
import { startCdsApi } from '@cds/stand-ins/cds-api';
import { listenOn, sendRequest } from '@cds/stand-ins/http';
import { fillIn } from './fill-in';
import { findRoot } from './find-root';
import { choosePorts, USUAL_PORTS } from './ports';
import { startPrivateRedis } from './private-redis';
import { createRunFolder } from './run-folder';
import { serviceConfig, serviceEnvironment, type ServiceSettings } from './service-config';

const root = findRoot(__dirname);
const KEY = 'k'.repeat(32);
const SETTINGS: ServiceSettings = {
  vcsPort: 1,
  hooksPort: 2,
  redisPort: 3,
  apiUrl: 'http://api:8081',
  token: 'the-token',
  bitbucket: {
    apiUrl: 'http://bb:1/2.0',
    oauthUrl: 'http://bb:1/site/oauth2',
    clientId: 'the-client',
    clientSecret: 'the-secret',
  },
  branchDeletionDelaySeconds: 5,
};

describe('filling in a printed configuration', () => {
  it('sets keys where they stand, whatever their case, and takes them out of comments', () => {
    const text = '# c\n[A.b]\n  # Set x to y.\n  # x = 1 # one\n  Name = ""\n[A.c]\nname = ""\n';
    expect(fillIn(text, { 'a.b.x': 2, 'a.B.name': 'n "q"' })).toBe(
      '# c\n[A.b]\n  # Set x to y.\n  x = 2\n  Name = "n \\"q\\""\n[A.c]\nname = ""\n',
    );
    expect(() => fillIn(text, { 'a.c.nope': 1 })).toThrow('has no a.c.nope');
  });

  it.each([
    ['0.41', 'link', 'clientSecret = "the-secret"', []],
    ['0.57', 'VCS project', `webhookKey = "${KEY}"`, ['hooks.urlPublic']],
  ] as const)(
    'makes a configuration that has nothing wrong of what the command prints for %s',
    async (cds, connectsBy, part, warned) => {
      const api = await startCdsApi({ cds });
      const printed = printConfig({ services: ['vcs', 'hooks'], cds });
      const filled = serviceConfig(printed, {
        ...{ ...SETTINGS, connectsBy, webhookKey: KEY },
        tokenOf: api.tokenOf,
      });
      await api.close();
      // It is an address of this machine: where Bitbucket is one, too, that is meant.
      expect(checkConfigText(filled)).toEqual(
        warned.map((key) => expect.objectContaining({ key, level: 'warning' }) as unknown),
      );
      expect(filled).toContain(part);
    },
  );

  it('gives each service a token of its own where it has one', () => {
    const tokenOf = (type: string, name: string) => `${type} ${name}`;
    expect(serviceEnvironment({ ...SETTINGS, tokenOf }, ['vcs'])).toMatchObject({
      CDS_VCS_API_TOKEN: 'vcs sandbox-vcs',
    });
  });

  it('names the same settings in the environment', () => {
    expect(serviceEnvironment(SETTINGS, ['hooks'])).toMatchObject({
      CDS_HOOKS_API_HTTP_URL: 'http://api:8081',
      CDS_HOOKS_BRANCHDELETION_DELAY: '5',
      CDS_HOOKS_CACHE_REDIS_HOST: '127.0.0.1:3',
    });
  });
});

describe('the folder of a run', () => {
  let checkout: string;
  beforeEach(() => (checkout = mkdtempSync(join(tmpdir(), 'sandbox-'))));
  afterEach(() => rmSync(checkout, { recursive: true, force: true }));

  it('is removed after a run that was killed, and its Redis with it', async () => {
    const dead = await startProcess({ command: 'true', args: [], env: process.env });
    await dead.exited;
    const left = createRunFolder(checkout, dead.pid);
    const redis = await startPrivateRedis(left, await freePort());

    const own = createRunFolder(checkout);

    // Had it not been ended, this would end it in another way.
    await redis.shutDown();
    expect(await redis.exited()).toMatchObject({ signal: 'SIGKILL' });
    expect(existsSync(left.path)).toBe(false);
    expect(existsSync(own.redis)).toBe(true);
    mkdirSync(join(checkout, '.sandbox', 'kept-by-hand'));
    createRunFolder(checkout, process.ppid);
    expect(existsSync(own.redis)).toBe(true);
    expect(existsSync(join(checkout, '.sandbox', 'kept-by-hand'))).toBe(true);
    own.remove();
    expect(existsSync(own.path)).toBe(false);
  });
});

describe('ports', () => {
  it('are the usual ones unless they are taken, and never for --once', async () => {
    const blocker = await listenOn((_request, response) => response.end(), {
      host: '127.0.0.1',
      port: 0,
    });
    const usual = { ...USUAL_PORTS };
    try {
      USUAL_PORTS.vcs = blocker.port;
      expect((await choosePorts({ anywhere: false })).vcs).not.toBe(blocker.port);
      expect(Object.values(await choosePorts({ anywhere: true }))).not.toContain(usual.api);
    } finally {
      Object.assign(USUAL_PORTS, usual);
      await blocker.close();
    }
  });
});

describe('the command', () => {
  let running: RunningProcess | undefined;
  afterEach(() => running?.kill('SIGKILL'));

  const start = async (
    args: string[],
    env: NodeJS.ProcessEnv = {},
    program = ['dist/tools/sandbox/main.js'],
  ) =>
    (running = await startProcess({
      command: process.execPath,
      args: [...program, ...args],
      env: { PATH: process.env['PATH'], ...env },
      cwd: root,
    }));
  /** Without the command of tsx in between: it kills what does not answer a signal at once. */
  const fromSources = (env: NodeJS.ProcessEnv) =>
    start([], { TSX_TSCONFIG_PATH: 'tsconfig.base.json', ...env }, [
      ...['--import', 'tsx', 'tools/sandbox/main.ts'],
    ]);

  it('helps, and refuses what it does not know', async () => {
    const help = await start(['--help']);
    expect((await help.exited).code).toBe(0);
    expect(help.stdout()).toContain('--once');
    const unknown = await start(['--twice']);
    expect((await unknown.exited).code).toBe(2);
    expect(unknown.stderr()).toContain("Unknown option '--twice'");
    const old = await start(['--cds', '0.39']);
    expect((await old.exited).code).toBe(2);
    expect(old.stderr()).toContain('knows CDS 0.41, 0.50, 0.51, 0.57, not 0.39');
  });

  it('runs the stand-ins alone where the services are elsewhere, until it is told to stop', async () => {
    const [api, bitbucket, page] = [await freePort(), await freePort(), await freePort()];
    const external = await fromSources({
      SANDBOX_SERVICES: 'external',
      SANDBOX_API_URL: `http://127.0.0.1:${api}`,
      SANDBOX_BITBUCKET_URL: `http://127.0.0.1:${bitbucket}`,
      SANDBOX_PAGE_PORT: String(page),
    });
    await external.waitForOutput('Waiting for vcs and hooks to register');
    const version = await waitFor(() =>
      sendRequest({ method: 'GET', url: `http://127.0.0.1:${api}/mon/version`, timeoutMs: 1_000 }),
    );
    expect(version.status).toBe(200);
    const shown = await sendRequest({
      method: 'GET',
      url: `http://127.0.0.1:${page}/`,
      timeoutMs: 1_000,
    });
    expect(shown.text).toContain('<h2 id="guide-title">Start here</h2>');
    external.kill('SIGTERM');
    expect((await external.exited).code).toBe(0);
  });

  it('says what is wrong with a URL', async () => {
    const wrong = await start([], {
      SANDBOX_SERVICES: 'external',
      SANDBOX_API_URL: 'sandbox:8081',
    });
    expect((await wrong.exited).code).toBe(1);
    expect(wrong.stdout()).toContain('like http://host:port, not sandbox:8081');
  });
});
