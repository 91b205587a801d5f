import { createHmac } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort, startTestRedis, waitFor, type TestRedis } from '@cds/testing';
import Redis from 'ioredis';
import { parse } from 'smol-toml';
import {
  PLAIN_PATH,
  bundleEngine,
  fakeCdsEngine,
  readyConfig,
  writeScript,
  type Engine,
} from '../test/engine.fixture';

let engine: Engine;
beforeAll(() => {
  engine = bundleEngine();
});
afterAll(() => engine.remove());

function configFile(text = readyConfig()): string {
  const file = join(engine.folder(), 'config.toml');
  writeFileSync(file, text);
  return file;
}

describe('engine', () => {
  it('prints name, version, commit and Node version', () => {
    const { code, out } = engine.run(['version']);

    expect(code).toBe(0);
    expect(out).toBe(
      `name: cds-bitbucket-cloud\nversion: 1.2.3\ncommit: abcdef\nnode: ${process.version}\n`,
    );
  });

  it.each([
    [['--help'], /Usage: engine .*config .*start .*vcs .*version/s],
    [['config', '--help'], /new .*check/s],
    [['config', 'new', '--help'], /--env/],
    [['config', 'check', '--help'], /<file>/],
    [['start', '--help'], /--config .*CDS_ENGINE/s],
    [['vcs', '--help'], /webhook/],
    [['vcs', 'webhook', '--help'], /<uuid>/],
    [['version', '--help'], /Node version/],
  ])('has help: %j', (args, text) => {
    const { code, out } = engine.run(args);

    expect(out.replaceAll('\n', ' ')).toMatch(text);
    expect(code).toBe(0);
  });

  it.each([
    [[], /Usage: engine/],
    [['strat'], /unknown command 'strat'\n\(Did you mean start\?\)/],
    [['start', 'vsc'], /there is no service "vsc"\. There are vcs, hooks and api\./],
    [
      ['start', 'hatchery:local'],
      /hatchery:local is a service of CDS itself: use CDS's own engine/,
    ],
    [['start'], /name the services to start/],
    [['start', 'vcs', '--conf', 'x'], /unknown option '--conf'\n\(Did you mean --config\?\)/],
    [['config', 'new', 'api'], /api is a service of CDS itself/],
    [['config', 'check'], /missing required argument 'file'/],
    [['vcs', 'webhook', '../x'], /no uuid of a webhook/],
  ])('refuses %j with exit code 2', (args, sentence) => {
    const { code, out, err } = engine.run(args);

    expect(err).toMatch(sentence);
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});

describe('engine config check', () => {
  it('says that a file is fine', () => {
    expect(
      engine.run(['config', 'check', configFile(`${readyConfig()}urlPublic = "x"`)]),
    ).toMatchObject({ code: 0, out: 'Configuration file OK\n' });
  });

  it('says everything that is wrong, and no secret', () => {
    const text = readyConfig({ more: 'colour = "red"\n[vcs.http]\nport = "eighty"' })
      .replace('name = "my-vcs"', 'URL = "nowhere"')
      .replace('"hunter3"', '""');

    const { code, out, err } = engine.run(['config', 'check', configFile(text)]);

    expect(err).toMatch(/^line 3: vcs\.URL: must be an absolute http/m);
    expect(err).toMatch(/^line 2: vcs\.name: is missing/m);
    expect(err).toMatch(
      /^line 13: vcs\.servers\.bitbucketcloud\.bitbucketcloud\.clientSecret: is missing/m,
    );
    expect(err).toMatch(/^line 16: vcs\.http\.port: must be a whole number/m);
    expect(err).toMatch(/^warning: line 14: .*colour: is not known/m);
    expect(err).not.toMatch(/hunter/);
    expect(out).toBe('');
    expect(code).toBe(1);
  });

  it('takes the environment into account only where it is told to', () => {
    const file = configFile(readyConfig().replaceAll('"hunter2"', '""'));
    const env = { CDS_VCS_API_TOKEN: 't', CDS_HOOKS_API_TOKEN: 't' };

    expect(engine.run(['config', 'check', file], env).code).toBe(1);
    expect(engine.run(['config', 'check', file, '--env'], env).code).toBe(0);
  });

  it('says that there is no such file', () => {
    expect(engine.run(['config', 'check', '/no/such/file'])).toMatchObject({
      code: 1,
      err: 'error: cannot read the configuration file /no/such/file: there is no such file\n',
    });
    expect(engine.run(['start', 'hooks', '--config', '/no/such/file'])).toMatchObject({
      code: 1,
      err: 'cannot read the configuration file /no/such/file: there is no such file\nerror: nothing was started: correct the configuration first.\n',
    });
  });
});

describe('engine config new', () => {
  it('prints what is asked for', () => {
    expect(Object.keys(parse(engine.run(['config', 'new', 'vcs']).out))).toEqual(['vcs', 'log']);
    expect(Object.keys(parse(engine.run(['config', 'new', 'hooks']).out))).toEqual([
      'hooks',
      'log',
    ]);
    expect(engine.run(['config', 'new', 'hooks', '--env']).out).toMatch(
      /^(export CDS_(HOOKS|LOG)_[A-Z_]+=".*"\n)+$/,
    );
  });

  (existsSync('/dev/full') ? it : it.skip)('fails when what it prints is lost', () => {
    const command = `"${process.execPath}" "${join(engine.home, 'main.js')}" config new hooks`;
    const { status, stderr } = spawnSync('sh', ['-c', `${command} > /dev/full`], {
      encoding: 'utf8',
    });

    expect(stderr).toMatch(/^error: cannot write the output: ENOSPC/);
    expect(status).toBe(1);
  });

  it('says how to get the section of the API where there is no engine of CDS', () => {
    const { code, out } = engine.run(['config', 'new']);

    expect(out).toMatch(/^# .*\n# .*name it in CDS_ENGINE/);
    expect(Object.keys(parse(out))).toEqual(['vcs', 'hooks', 'log']);
    expect(code).toBe(0);
  });

  it.each([[[]], [['hooks', 'vcs']]])(
    "adds what CDS's own engine prints, with one token for all: %j",
    (services) => {
      const folder = engine.folder();
      fakeCdsEngine(join(folder, 'cds-engine'));
      const env = { PATH: `${folder}${delimiter}${PLAIN_PATH}` };

      const { out } = engine.run(['config', 'new', ...services], env);
      const lines = engine.run(['config', 'new', '--env', ...services], env).out;

      expect(parse(out)).toMatchObject({
        api: { auth: { sharedInfraToken: 'token-of-cds' } },
        vcs: { api: { token: 'token-of-cds' } },
        hooks: { api: { token: 'token-of-cds' } },
        log: { level: 'info' },
      });
      expect(lines.match(/TOKEN="token-of-cds"$/gm)).toHaveLength(3);
      expect(lines.match(/^export CDS_LOG_LEVEL=/gm)).toHaveLength(1);
    },
  );

  it('prints a file that is fine once its placeholders are filled', () => {
    const folder = engine.folder();
    const env = { CDS_ENGINE: fakeCdsEngine(join(folder, 'anything')) };
    const text = engine
      .run(['config', 'new'], env)
      .out.replaceAll(/^name = ""/gm, 'name = "x"')
      .replaceAll('"xxxxx"', '"filled-in"');

    expect(engine.run(['config', 'check', configFile(text)])).toMatchObject({ code: 0 });
  });

  it('runs the very file that CDS_ENGINE names, also one in the current folder', () => {
    const cwd = engine.folder();
    fakeCdsEngine(join(cwd, 'mine'));
    const onPath = engine.folder();
    writeScript(join(onPath, 'mine'), '#!/bin/sh\nexit 3\n');

    const { out, err } = engine.run(
      ['config', 'new'],
      { CDS_ENGINE: 'mine', PATH: `${onPath}${delimiter}${PLAIN_PATH}` },
      cwd,
    );

    expect(err).toBe('');
    expect(parse(out)).toMatchObject({ vcs: { api: { token: 'token-of-cds' } } });
  });

  it('goes without it when that engine fails, and does not repeat what it printed', () => {
    const broken = writeScript(
      join(engine.folder(), 'cds-engine'),
      '#!/bin/sh\necho "sharedInfraToken = hunter2"\nexit 3\n',
    );

    const { code, out, err } = engine.run(['config', 'new'], { CDS_ENGINE: broken });

    expect(err).toContain('config new api` failed (3)');
    expect(`${out}${err}`).not.toContain('hunter2');
    expect(Object.keys(parse(out))).toEqual(['vcs', 'hooks', 'log']);
    expect(code).toBe(0);
  });
});

describe('engine start', () => {
  it('starts each service as a child, with the file, and prefixes what it prints', async () => {
    const file = configFile();
    const running = await engine.start(['start', 'vcs', 'hooks', '--config', file]);
    await running.waitForOutput(`vcs   | vcs started with --config ${file}`);
    await running.waitForOutput(`hooks | hooks started with --config ${file}`);
    await running.waitForOutput('hooks | hooks warns');

    running.kill('SIGTERM');

    expect(await running.exited).toEqual({ code: 0, signal: null });
    expect(running.stdout()).toContain('vcs   | vcs finished what was under way');
    expect(running.stdout()).toContain('hooks | hooks finished what was under way');
    expect(running.stderr()).toContain('vcs   | vcs warns\n');
  });

  it('lets no service go on when it is killed itself', async () => {
    const ORPHAN = join(engine.folder(), 'orphan');
    const running = await engine.start(['start', 'hooks', '--config', configFile()], { ORPHAN });
    await running.waitForOutput('hooks started');

    running.kill('SIGKILL');

    await waitFor(() => existsSync(ORPHAN), { what: 'the end of the service' });
  });

  it('sends a signal on once, however often it comes at the same moment', async () => {
    const running = await engine.start(['start', 'hooks', '--config', configFile()]);
    await running.waitForOutput('hooks started');

    running.kill('SIGINT');
    running.kill('SIGTERM');

    expect(await running.exited).toMatchObject({ code: 0 });
    expect(running.stdout().match(/got SIG/g)).toHaveLength(1);
  });

  it('starts from the environment alone, also as to which services', async () => {
    const running = await engine.start(['start'], {
      CDS_SERVICE: 'hooks',
      CDS_HOOKS_NAME: 'h',
      CDS_HOOKS_API_TOKEN: 't',
    });
    await running.waitForOutput(/^hooks \| hooks started with $/m);
    running.kill();

    expect(await running.exited).toMatchObject({ code: 0 });
  });

  it.each([
    [3, 3, 'vcs ended with exit code 3: stopping hooks.'],
    [0, 1, 'vcs ended with exit code 0: stopping hooks.'],
  ])('ends the rest when one ends with %i', async (ending, code, sentence) => {
    const args = ['start', 'vcs', 'hooks', '--config', configFile()];
    const end = join(engine.folder(), 'end');
    const running = await engine.start(args, { END_VCS: end });
    await running.waitForOutput('vcs started');
    await running.waitForOutput('hooks started');

    writeFileSync(end, String(ending));

    expect(await running.exited).toEqual({ code, signal: null });
    expect(running.stderr()).toContain(sentence);
    expect(running.stdout()).toContain('hooks finished what was under way');
  });

  it('says what is wrong with the configuration before anything starts', () => {
    const file = configFile(readyConfig().replaceAll('"hunter2"', '""'));

    const { code, out, err } = engine.run(['start', 'vcs', 'hooks', '--config', file]);

    expect(err).toContain('vcs.api.token: is missing');
    expect(err).toContain('hooks.api.token: is missing');
    expect(out).toBe('');
    expect(code).toBe(1);
  });

  it('stops its children when its terminal is closed', async () => {
    const running = await engine.start(['start', 'hooks', '--config', configFile()]);
    await running.waitForOutput('hooks started');
    running.kill('SIGHUP');

    expect(await running.exited).toMatchObject({ code: 0 });
    expect(running.stdout()).toContain('hooks got SIGTERM 1');
  });
});

describe('engine start api', () => {
  it("starts CDS's own engine, waits for its API, then the rest, and stops all", async () => {
    const port = await freePort();
    const folder = engine.folder();
    fakeCdsEngine(join(folder, 'engine'), port);
    const file = configFile(readyConfig({ apiUrl: `http://127.0.0.1:${port}` }));
    const running = await engine.start(['start', 'vcs', 'api', 'hooks', '--config', file], {
      PATH: `${folder}${delimiter}${PLAIN_PATH}`,
    });
    await running.waitForOutput('vcs started');
    await running.waitForOutput('hooks started');

    running.kill('SIGTERM');

    expect(await running.exited).toMatchObject({ code: 0 });
    const out = running.stdout();
    expect(out).toContain(`api   | cds engine was called with start api --config ${file}\n`);
    expect(out.indexOf('api answers /mon/version')).toBeGreaterThan(0);
    expect(out.indexOf('vcs started')).toBeGreaterThan(out.indexOf('api answers /mon/version'));
    expect(running.stderr()).toContain(`Waiting for the CDS API at http://127.0.0.1:${port}`);
  });

  it('can be stopped while it waits, and ends when the API does not come up', async () => {
    const port = await freePort();
    const file = configFile(readyConfig({ apiUrl: `http://127.0.0.1:${port}` }));
    const sleeping = writeScript(join(engine.folder(), 'cds'), '#!/bin/sh\nsleep 60\n');
    const waiting = await engine.start(['start', 'api', 'vcs', '--config', file], {
      CDS_ENGINE: sleeping,
    });
    await waiting.waitForOutput('Waiting for the CDS API');
    waiting.kill('SIGTERM');
    expect(await waiting.exited).toMatchObject({ code: 0 });

    const broken = writeScript(join(engine.folder(), 'cds'), '#!/bin/sh\nexit 4\n');
    const ended = await engine.start(['start', 'api', 'vcs', '--config', file], {
      CDS_ENGINE: broken,
    });
    expect(await ended.exited).toMatchObject({ code: 4 });
    expect(ended.stderr()).toContain('api ended with exit code 4.');
    expect(`${waiting.stdout()}${ended.stdout()}`).not.toContain('vcs started');
  });

  it('says in one sentence that there is no engine of CDS', () => {
    const { code, err } = engine.run(['start', 'api', 'vcs', 'hooks', '--config', configFile()]);

    expect(err).toMatch(
      /^error: cannot start api: the engine of CDS itself was not found\. Download [^\n]*\n$/,
    );
    expect(code).toBe(1);
  });

  it('never takes itself for it, under any name and through any link', () => {
    const main = join(engine.home, 'main.js');
    const folder = engine.folder();
    symlinkSync(main, join(folder, 'cds-engine'));
    writeScript(join(folder, 'engine'), readFileSync(main, 'utf8'));
    const shim = writeScript(
      join(engine.folder(), 'engine'),
      `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@" # tools/setup/engine.mjs\n`,
    );
    const wrapper = writeScript(
      join(engine.folder(), 'wrapper'),
      `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`,
    );
    const listed = writeScript(join(engine.folder(), 'listed'), '#!/bin/sh\nexit 0\n');
    const start = (env: NodeJS.ProcessEnv) =>
      engine.run(['start', 'api', '--config', configFile()], env);

    expect(start({ PATH: `${folder}${delimiter}${PLAIN_PATH}` }).err).toContain('was not found');
    for (const CDS_ENGINE of [join(folder, 'cds-engine'), shim])
      expect(start({ CDS_ENGINE }).err).toContain('is this command and not the engine of CDS');
    expect(
      start({ CDS_ENGINE: listed, CDS_BITBUCKET_ENGINE: `/x${delimiter}${listed}` }).err,
    ).toContain('is this command');
    // Not to be seen from outside: it is noticed when it comes back.
    const looped = start({ CDS_ENGINE: wrapper });
    expect(looped.err).toContain('what was taken for the engine of CDS is this command');
    expect(looped.code).toBe(1);
    expect(start({ CDS_ENGINE: '/no/such/file' }).err).toContain('not an executable file');
  });
});

describe('engine vcs webhook', () => {
  const UUID = '0e9a4f4c-56b8-4ba6-9e6b-0f0b6f2a4d11';
  const secretOf = (key: string, uuid: string) =>
    createHmac('sha256', key).update(`cds-webhook:${uuid}`).digest('hex');
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.stop());

  it('prints what vcs noted of a webhook that has to be added by hand', async () => {
    const client = new Redis(redis.port, redis.host);
    await client.set(
      `cdsbb:vcs:manual-webhook:${UUID}`,
      JSON.stringify({
        repository: 'team/repo',
        url: `https://hooks.example/webhook/${UUID}`,
        events: ['repo:push', 'pullrequest:created'],
      }),
    );
    client.disconnect();
    const file = configFile(readyConfig({ redisPort: redis.port }));

    expect(engine.run(['vcs', 'webhook', UUID, '--config', file])).toEqual({
      code: 0,
      out: `Repository: team/repo\nURL: https://hooks.example/webhook/${UUID}\nEvents: repo:push, pullrequest:created\nSecret: ${secretOf('hunter2', UUID)}\n`,
      err: '',
    });

    const keyed = configFile(
      readyConfig({ redisPort: redis.port }).replace(
        'name = "my-vcs"',
        'name = "v"\nwebhookKey = "a-key-of-its-own-for-webhooks"',
      ),
    );
    expect(engine.run(['vcs', 'webhook', UUID, '--config', keyed]).out).toContain(
      `Secret: ${secretOf('a-key-of-its-own-for-webhooks', UUID)}\n`,
    );
  });

  it('says what the configuration makes of one that vcs knows nothing of', () => {
    const text = readyConfig({ redisPort: redis.port }).replace(
      'name = "my-hooks"',
      'name = "h"\nurlPublic = "https://public.example"',
    );

    const { code, out, err } = engine.run([
      'vcs',
      'webhook',
      'unknown-1',
      '--config',
      configFile(text),
    ]);

    expect(out).toBe(
      `URL: https://public.example/webhook/unknown-1\nEvents: repo:push\nSecret: ${secretOf('hunter2', 'unknown-1')}\n`,
    );
    expect(err).toContain('vcs has not been asked for webhook unknown-1');
    expect(code).toBe(0);
  });

  it('puts the proxy in front, and does without Redis', async () => {
    const text = readyConfig({
      redisPort: await freePort(),
      more: 'proxyWebhook = "https://proxy.example/in/"',
    });

    const { code, out, err } = engine.run(['vcs', 'webhook', 'u-1', '--config', configFile(text)]);

    expect(out).toBe(
      `URL: https://proxy.example/in/u-1\nEvents: repo:push\nSecret: ${secretOf('hunter2', 'u-1')}\n`,
    );
    expect(err).toContain('Redis of vcs cannot be asked');
    expect(code).toBe(0);
  });

  it('says that it needs [hooks] where only that can tell', () => {
    const [vcsOnly = ''] = readyConfig({ redisPort: redis.port }).split('[hooks]');

    const { code, err } = engine.run(['vcs', 'webhook', 'u-1', '--config', configFile(vcsOnly)]);

    expect(err).toContain('The URL of a webhook is made of [hooks] urlPublic.');
    expect(code).toBe(1);
  });
});
