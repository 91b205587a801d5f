import { createHmac } from 'node:crypto';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import {
  freePort,
  startProcess,
  startTestRedis,
  waitFor,
  type RunningProcess,
  type TestRedis,
} from '@cds/testing';
import Redis from 'ioredis';
import { parse } from 'smol-toml';
import {
  PLAIN_PATH,
  bundleEngine,
  CONSUMER_TOKENS,
  fakeCdsEngine,
  fakeCurrentCdsEngine,
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
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** The configuration of each service in a file of its own, as the guides have it. */
function twoFiles(text = readyConfig()): [string, string] {
  const [vcs = '', hooks = ''] = text.split(/^(?=\[hooks\]$)/m);
  return [configFile(vcs), configFile(hooks)];
}

/** Runs a command on a terminal. */
const ROOT = join(__dirname, '..', '..', '..');
const SCRIPT = '/usr/bin/script';

describe('engine', () => {
  it('prints name, version, commit and Node version', () => {
    const { code, out } = engine.run(['version']);

    expect(code).toBe(0);
    expect(out).toBe(
      `name: cds-bitbucket-cloud\nversion: 1.2.3\ncommit: abcdef\nnode: ${process.version}\n`,
    );
    expect(engine.run(['--version']).out).toBe('1.2.3 (commit abcdef)\n');
  });

  it.each([
    [['--help'], /Usage: engine .*config .*start .*vcs .*version/s],
    [['config', '--help'], /new .*check/s],
    [['config', 'new', '--help'], /--env/],
    [['config', 'check', '--help'], /\[files\.\.\.\]/],
    [['start', '--help'], /--config .*CDS_ENGINE/s],
    [['vcs', '--help'], /webhook/],
    [['vcs', 'webhook', '--help'], /<uuid>/],
    [['version', '--help'], /Node version/],
  ])('has help: %j', async (args, text) => {
    const { code, out } = await engine.call(args);

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
    [['config', 'new', 'ui'], /ui is a service of CDS itself/],
    [['config', 'check'], /missing argument 'files'/],
    [['vcs', 'webhook', '../x'], /no uuid of a webhook/],
  ])('refuses %j with exit code 2', async (args, sentence) => {
    const { code, out, err } = await engine.call(args);

    expect(err).toMatch(sentence);
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});

describe('engine config check', () => {
  it('says that a file is fine', async () => {
    expect(
      await engine.call(['config', 'check', configFile(`${readyConfig()}urlPublic = "x"`)]),
    ).toMatchObject({ code: 0, out: 'Configuration file OK\n' });
  });

  it('says everything that is wrong, and no secret', async () => {
    const text = readyConfig({ more: 'colour = "red"\n[vcs.http]\nport = "eighty"' })
      .replace('name = "my-vcs"', 'URL = "nowhere"')
      .replace('"hunter3"', '""');

    const { code, out, err } = await engine.call(['config', 'check', configFile(text)]);

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

  it('takes the environment into account only where it is told to', async () => {
    const file = configFile(readyConfig().replaceAll('"hunter2"', '""'));
    const env = { CDS_VCS_API_TOKEN: 't', CDS_HOOKS_API_TOKEN: 't' };

    expect((await engine.call(['config', 'check', file], env)).code).toBe(1);
    expect((await engine.call(['config', 'check', file, '--env'], env)).code).toBe(0);

    // Proxies are of the environment, too.
    const proxies = {
      HTTPS_PROXY: 'http://me:hunter4@proxy:3128',
      no_proxy: 'near.example,http://x',
    };
    const { code, out, err } = await engine.call(['config', 'check', file, '--env'], {
      ...env,
      ...proxies,
    });
    expect({ code, out }).toEqual({
      code: 0,
      out: 'Configuration file OK\nHTTPS_PROXY is in force: http://proxy:3128\nno_proxy is in force: near.example,http://x\n',
    });
    expect(err).toContain('warning: NO_PROXY: "http://x" is ignored');
    const wrong = { ...env, https_proxy: 'socks5://me:hunter4@proxy' };
    const refused = await engine.call(['config', 'check', file, '--env'], wrong);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toContain('https_proxy: must begin with http:// or https://');
    expect(refused.err + err + out).not.toContain('hunter4');
  });

  it('warns of files with secrets that every user may read, as start does', async () => {
    const file = configFile(readyConfig().replace('token = "hunter2"', 'token = ""'));
    const secret = join(engine.folder(), 'token');
    writeFileSync(secret, 'hunter4');
    const env = { CDS_VCS_API_TOKEN_FILE: secret };
    const warned = (path: string) =>
      `warning: ${path}: every user of this machine may read it, and it holds secrets: chmod o-rwx ${path}, and give it to the user or group of the services\n`;
    const check = () => engine.call(['config', 'check', '--env', file], env);

    for (const path of [file, secret]) chmodSync(path, 0o644);
    expect(await check()).toMatchObject({
      code: 0,
      err: expect.stringContaining(warned(file) + warned(secret)),
    });
    const json = (await engine.call(['config', 'check', '--json', '--env', file], env)).out;
    expect(JSON.parse(json)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ file, level: 'warning' }),
        expect.objectContaining({ file: secret, level: 'warning' }),
      ]),
    );
    const running = await engine.start(['start', 'vcs', '--config', file], env);
    await running.waitForOutput(warned(file) + warned(secret));
    await running.waitForOutput('vcs started');
    await running.stop();
    for (const path of [file, secret]) chmodSync(path, 0o640);
    expect((await check()).err).not.toContain('every user');
  });

  it('reads what a shell hands over as a pipe, once', () => {
    const pipe = join(engine.folder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', 'cat "$0" >"$1"', configFile(), pipe]);
    expect(engine.run(['config', 'check', pipe])).toMatchObject({ code: 0 });
    writer.kill();
  });

  it('says that there is no such file', async () => {
    expect(await engine.call(['config', 'check', '/no/such/file'])).toMatchObject({
      code: 1,
      err: 'error: cannot read the configuration file /no/such/file: there is no such file\n',
    });
    expect(engine.run(['start', 'hooks', '--config', '/no/such/file'])).toMatchObject({
      code: 78,
      err: 'cannot read the configuration file /no/such/file: there is no such file\nerror: nothing was started: correct the configuration first.\n',
    });
  });
});

describe('engine config new', () => {
  it('prints what is asked for', async () => {
    expect(Object.keys(parse((await engine.call(['config', 'new', 'vcs'])).out))).toEqual([
      'vcs',
      'log',
    ]);
    expect(Object.keys(parse((await engine.call(['config', 'new', 'hooks'])).out))).toEqual([
      'hooks',
      'log',
    ]);
    const variables = await engine.call(['config', 'new', '--format', 'env-file', 'vcs']);
    expect(variables).toMatchObject({ code: 0, out: expect.stringMatching(/^CDS_VCS_NAME=$/m) });
    expect(await engine.call(['config', 'new', 'vcs', '--env-file'])).toEqual(variables);
    expect((await engine.call(['config', 'new', 'hooks', '--env'])).out).toMatch(
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

  it('says how to get the section of the API where there is no engine of CDS', async () => {
    // Beside a CDS that runs already nothing is missing.
    expect((await engine.call(['config', 'new', 'vcs', 'hooks'])).err).toBe('');
    expect((await engine.call(['config', 'new', 'vcs', 'hooks', 'api'])).err).toContain(
      'Without the section of the API: the engine of CDS itself was not found',
    );
    const { code, out } = await engine.call(['config', 'new']);

    expect(out).toMatch(/^(# .*\n)+# .*name it in CDS_ENGINE/);
    expect(Object.keys(parse(out))).toEqual(['vcs', 'hooks', 'log']);
    expect(code).toBe(0);
  });

  it('answers for api as it does for all', async () => {
    const run = async (...args: string[]) => {
      const { out, ...rest } = await engine.call(['config', 'new', ...args]);
      return { ...rest, out: out.replaceAll(/"[0-9a-f]{64}"/g, '"a new key"') };
    };
    expect(await run('api')).toEqual(await run());
    expect(await run('api', '--env')).toEqual(await run('--env'));
  });

  it.each([[[]], [['hooks', 'vcs']], [['api']], [['api', 'vcs', 'hooks']]])(
    "adds what CDS's own engine prints, with one token for all: %j",
    async (services) => {
      const folder = engine.folder();
      fakeCdsEngine(join(folder, 'cds-engine'));
      const env = { PATH: `${folder}${delimiter}${PLAIN_PATH}` };

      const { out } = await engine.call(['config', 'new', ...services], env);
      const lines = (await engine.call(['config', 'new', '--env', ...services], env)).out;

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

  it('prints names and tokens that the engine of a current CDS made, and one key of webhooks', async () => {
    const env = { CDS_ENGINE: fakeCurrentCdsEngine(join(engine.folder(), 'current')) };

    const { out, err } = await engine.call(['config', 'new'], env);
    const lines = (await engine.call(['config', 'new', 'api', '--env'], env)).out;

    const { vcs, hooks, ...others } = parse(out) as Record<'vcs' | 'hooks', { webhookKey: string }>;
    expect(err).toBe('');
    expect(vcs).toMatchObject({
      name: 'cds-vcs-keen_poincaré',
      api: { token: CONSUMER_TOKENS.vcs, generation: 'auto' },
      webhookKey: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(hooks).toMatchObject({
      name: 'cds-hooks-keen_poincaré',
      api: { token: CONSUMER_TOKENS.hooks },
      branchDeletion: { token: '' },
      webhookKey: vcs.webhookKey,
    });
    expect(others).toMatchObject({ api: { name: 'cds-api', vcs: {} }, log: { format: '' } });
    expect(Object.keys(vcs)).not.toContain('servers');
    expect(out).toContain('# On first login');
    expect(out).not.toMatch(/Settings of (vcs|hooks)|of CDS"/);
    expect(lines).toContain('export CDS_API_NAME="cds-api"');
    for (const service of ['vcs', 'hooks'] as const) {
      const name = `CDS_${service.toUpperCase()}_API_TOKEN`;
      expect(lines.match(new RegExp(`^export ${name}=.*$`, 'gm'))).toEqual([
        `export ${name}="${CONSUMER_TOKENS[service]}"`,
      ]);
    }
    expect(new Set(lines.match(/WEBHOOKKEY="[0-9a-f]{64}"/g)).size).toBe(1);
    expect(await engine.call(['config', 'check', configFile(out)])).toMatchObject({ code: 0 });
  });

  it('prints what the version of that engine needs', async () => {
    const printedWith = async (version: string) =>
      (
        await engine.call(['config', 'new'], {
          CDS_ENGINE: fakeCurrentCdsEngine(join(engine.folder(), 'versioned'), version),
        })
      ).out;

    expect(await printedWith('0.50.0')).toContain('[vcs.servers.bitbucketcloud]');
    for (const version of ['0.57.0', '0.60.0', '0.55.2-3-gabcdef'])
      expect(await printedWith(version)).not.toContain('[vcs.servers');
  });

  it('makes another key of webhooks each time, and none for one service alone', async () => {
    const keysOf = async (...args: string[]) =>
      [
        ...(await engine.call(['config', 'new', ...args])).out.matchAll(/^webhookKey = "(.*)"$/gm),
      ].map(([, key]) => key);
    const [first, same] = await keysOf();

    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(same).toBe(first);
    expect(await keysOf()).not.toContain(first);
    for (const args of [['vcs'], ['hooks']]) expect(await keysOf(...args)).toEqual(['']);
    expect(await keysOf('--cds', '0.43')).toEqual(['', '']);
  });

  it('prints what a version of CDS needs', async () => {
    const printed = async (cds: string) =>
      (await engine.call(['config', 'new', 'vcs', 'hooks', '--cds', cds])).out;

    expect(await printed('0.41')).toMatch(
      /^# For CDS 0\.41\..*sharedInfraToken.*\[vcs\.servers\.bitbucketcloud\]/s,
    );
    expect(await printed('v0.50.0')).toMatch(
      /^# For CDS 0\.50\..*\[vcs\.servers\.bitbucketcloud\]/s,
    );
    expect(await printed('0.55.2')).toMatch(
      /^# For CDS 0\.55\..*takes the name and the token of a consumer/s,
    );
    expect(await printed('0.55.2')).not.toContain('[vcs.servers');
  });

  it.each(['0.39', '0.58', '1.0', 'today', '0.5', '0.41x'])(
    'does not know CDS %s, and says what it knows',
    async (cds) => {
      const { code, out, err } = await engine.call(['config', 'new', '--cds', cds]);

      expect(err).toMatch(
        /--cds: the configuration of CDS ".*" is not known\. Known are 0\.40, 0\.41, .*, 0\.57/,
      );
      expect({ code, out }).toEqual({ code: 2, out: '' });
    },
  );

  it.each([
    ['0.57', fakeCdsEngine, /is that of 0\.43, not of 0\.57/],
    ['0.41', fakeCurrentCdsEngine, /is that of 0\.57, not of 0\.41/],
  ])('does not mix CDS %s with an engine of another', async (cds, fake, sentence) => {
    const env = { CDS_ENGINE: fake(join(engine.folder(), 'other')) };
    const { code, out, err } = await engine.call(['config', 'new', '--cds', cds], env);

    expect(err).toMatch(sentence);
    expect(Object.keys(parse(out))).toEqual(['vcs', 'hooks', 'log']);
    expect(out).not.toMatch(/token-of-cds|c2ln/);
    expect(code).toBe(0);
  });

  it('prints a file that is fine once its placeholders are filled', async () => {
    const folder = engine.folder();
    const env = { CDS_ENGINE: fakeCdsEngine(join(folder, 'anything')) };
    const text = engine
      .run(['config', 'new'], env)
      .out.replace(/^name = ""/m, 'name = "y"')
      .replaceAll(/^name = ""/gm, 'name = "x"')
      .replaceAll('"xxxxx"', '"filled-in"');

    expect(await engine.call(['config', 'check', configFile(text)])).toMatchObject({ code: 0 });
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

  it('goes without it when that engine fails, and does not repeat what it printed', async () => {
    const broken = writeScript(
      join(engine.folder(), 'cds-engine'),
      '#!/bin/sh\necho "sharedInfraToken = hunter2"\nexit 3\n',
    );

    const { code, out, err } = await engine.call(['config', 'new'], { CDS_ENGINE: broken });

    expect(err).toContain('config new api` failed (3)');
    expect(`${out}${err}`).not.toContain('hunter2');
    expect(Object.keys(parse(out))).toEqual(['vcs', 'hooks', 'log']);
    expect(code).toBe(0);
  });
});

describe('engine start', () => {
  it('starts each service as a child, with the files, and passes on what it prints as it is', async () => {
    const files = twoFiles();
    const options = files.flatMap((file) => ['--config', file]);
    const running = await engine.start(['start', 'vcs', 'hooks', ...options]);
    await running.waitForOutput(`vcs started with ${options.join(' ')}`);
    await running.waitForOutput(`hooks started with ${options.join(' ')}`);
    await running.waitForOutput('hooks warns');

    running.kill('SIGTERM');

    expect(await running.exited).toEqual({ code: 0, signal: null });
    // What the fake services print is JSON in none of its lines, and so are the lines.
    expect(running.stdout()).toMatch(/^vcs finished what was under way$/m);
    expect(running.stdout()).toMatch(/^hooks finished what was under way$/m);
    expect(running.stderr()).toMatch(/^vcs warns$/m);
    expect(`${running.stdout()}${running.stderr()}`).not.toContain(' | ');
  });

  (existsSync(SCRIPT) ? it : it.skip)('says whose line it is on a terminal', async () => {
    const command = [process.execPath, join(engine.home, 'main.js'), 'start', 'vcs', 'hooks'];
    const running = await startProcess({
      command: SCRIPT,
      args: ['-qec', [...command, '--config', configFile()].join(' '), '/dev/null'],
      env: { PATH: PLAIN_PATH },
    });
    await running.waitForOutput('vcs   | vcs started');
    await running.waitForOutput('hooks | hooks started');
    await running.waitForOutput('hooks | hooks warns');
    const [, pid] = await running.waitForOutput(/vcs {3}\| vcs has pid (\d+)/);

    process.kill(Number(pid), 'SIGKILL');
    await running.waitForOutput('vcs was ended by SIGKILL: starting it again in 1 s.');
    running.kill('SIGTERM');
    await running.exited;
  });

  it('lets no service go on when it is killed itself', async () => {
    const ORPHAN = join(engine.folder(), 'orphan');
    const running = await engine.start(['start', 'hooks', '--config', configFile()], { ORPHAN });
    await running.waitForOutput('hooks started');

    running.kill('SIGKILL');

    await waitFor(() => existsSync(ORPHAN), { what: 'the end of the service' });
  });

  it('passes signals on and loses no child where nobody reads what it prints', async () => {
    const FLOOD = join(engine.folder(), 'flooded');
    const running = spawn(
      process.execPath,
      [join(engine.home, 'main.js'), 'start', 'vcs', 'hooks', '--config', configFile()],
      { env: { PATH: PLAIN_PATH, FLOOD }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    try {
      // Far more than a pipe and the memory for it hold.
      await waitFor(() => existsSync(FLOOD), { what: 'a service to have printed it all' });

      const ended = once(running, 'exit');
      running.kill('SIGTERM');

      expect(await ended).toEqual([0, null]);
    } finally {
      running.kill('SIGKILL');
    }
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
    await running.waitForOutput(/^hooks started with $/m);
    running.kill();

    expect(await running.exited).toMatchObject({ code: 0 });
  });

  /** What this command itself has logged. */
  const recordsOf = (running: RunningProcess) =>
    running
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const pidsOf = (running: RunningProcess, service: string) =>
    [...running.stdout().matchAll(new RegExp(`^${service} has pid (\\d+)$`, 'gm'))].map(([, pid]) =>
      Number(pid),
    );

  it.each([1, 0, 'SIGKILL', 'SIGTERM'] as const)(
    'starts one again that ends with %s, and the other goes on',
    async (ending) => {
      const args = ['start', 'vcs', 'hooks', '--config', configFile()];
      const end = join(engine.folder(), 'end');
      const running = await engine.start(args, { END_VCS: end });
      await running.waitForOutput('vcs has pid');
      await running.waitForOutput('hooks has pid');
      const [first = 0] = pidsOf(running, 'vcs');

      if (typeof ending === 'number') writeFileSync(end, String(ending));
      else process.kill(first, ending);
      await running.waitForOutput('service ended, starting it again');
      rmSync(end, { force: true });
      await waitFor(() => pidsOf(running, 'vcs').length === 2, { what: 'another vcs' });

      running.kill('SIGTERM');
      expect(await running.exited).toEqual({ code: 0, signal: null });
      expect(recordsOf(running)).toEqual([
        {
          level: 'warning',
          time: expect.any(String),
          service: 'engine',
          child: 'vcs',
          end:
            ending === 'SIGKILL'
              ? { code: null, signal: ending }
              : { code: ending === 1 ? 1 : 0, signal: null },
          pauseMs: 1_000,
          msg: 'service ended, starting it again',
        },
      ]);
      expect(pidsOf(running, 'hooks')).toHaveLength(1);
      expect(running.stdout()).toContain('hooks finished what was under way');
    },
  );

  it.each([78, 2])(
    'ends all when one ends with %i, which a new start does not mend',
    async (ending) => {
      const args = ['start', 'vcs', 'hooks', '--config', configFile()];
      const end = join(engine.folder(), 'end');
      const running = await engine.start(args, { END_VCS: end });
      await running.waitForOutput('vcs started');
      await running.waitForOutput('hooks started');

      writeFileSync(end, String(ending));

      expect(await running.exited).toEqual({ code: ending, signal: null });
      expect(recordsOf(running)).toMatchObject([
        {
          level: 'error',
          child: 'vcs',
          others: ['hooks'],
          msg: 'service ended, stopping the others',
        },
      ]);
      expect(running.stdout()).toContain('hooks finished what was under way');
    },
  );

  it('ends with the exit code of the one service that it was started for', async () => {
    const end = join(engine.folder(), 'end');
    const running = await engine.start(['start', 'vcs', '--config', configFile()], {
      END_VCS: end,
    });
    await running.waitForOutput('vcs started');

    writeFileSync(end, '3');

    expect(await running.exited).toEqual({ code: 3, signal: null });
    expect(recordsOf(running)).toMatchObject([{ level: 'error', child: 'vcs', others: [] }]);
  });

  it('ends with each exit code that the guide and --help name', async () => {
    const guide = readFileSync(join(ROOT, 'docs', 'operator-guide.md'), 'utf8');
    const [, chapter = ''] = /^## Exit codes\n([^]*?)^## /m.exec(guide) ?? [];
    const named = [...chapter.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
    const { out } = await engine.call(['hooks', 'why', '--help']);
    const end = join(engine.folder(), 'end');
    writeFileSync(end, '78');
    const group = ['start', 'vcs', 'hooks', '--config', configFile()];
    const running = await engine.start(group, { END_VCS: end });

    expect(named).toEqual([
      engine.run(['version']).code,
      engine.run(['config', 'check', '/no/such/file']).code,
      engine.run(['hooks', 'nonsense']).code,
      (await running.exited).code,
    ]);
    for (const code of named) expect(out).toMatch(new RegExp(`[ :;]${code}[ :]`));
  });

  it('ends at a signal while one waits to be started again', async () => {
    const end = join(engine.folder(), 'end');
    writeFileSync(end, '1');
    const running = await engine.start(['start', 'vcs', 'hooks', '--config', configFile()], {
      END_VCS: end,
    });
    // Its third pause: long enough to be in it.
    await running.waitForOutput(/"pauseMs":4000/);

    running.kill('SIGTERM');

    expect(await running.exited).toEqual({ code: 0, signal: null });
    expect(running.stdout()).toContain('hooks finished what was under way');
    expect(recordsOf(running).map(({ pauseMs }) => pauseMs)).toEqual([1_000, 2_000, 4_000]);
  });

  it('refuses one name for two services, in one file and across two', async () => {
    const named = (text: string) => text.replace('my-hooks', 'my-vcs');
    const [vcs, hooks] = twoFiles(named(readyConfig()));
    const one = configFile(named(readyConfig()));
    const sentence = /hooks\.name: is the name of \[vcs\], too/;
    for (const config of [
      ['--config', one],
      ['--config', vcs, '--config', hooks],
    ])
      for (const services of [['vcs', 'hooks'], ['vcs'], ['hooks']]) {
        const { code, out, err } = await engine.call(['start', ...services, ...config]);
        expect(err).toMatch(sentence);
        expect(err).toContain('nothing was started');
        expect({ code, out }).toEqual({ code: 78, out: '' });
      }
    expect(await engine.call(['config', 'check', one])).toMatchObject({
      code: 1,
      err: expect.stringMatching(sentence),
    });
    expect(await engine.call(['config', 'check', vcs, hooks])).toMatchObject({
      code: 1,
      err: expect.stringMatching(sentence),
    });
    expect((await engine.call(['config', 'check', ...twoFiles()])).code).toBe(0);
  });

  it('says what is wrong with the configuration before anything starts', async () => {
    const file = configFile(readyConfig().replaceAll('"hunter2"', '""'));

    const { code, out, err } = await engine.call(['start', 'vcs', 'hooks', '--config', file]);

    expect(err).toContain('vcs.api.token: is missing');
    expect(err).toContain('hooks.api.token: is missing');
    expect(out).toBe('');
    expect(code).toBe(78);
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
    expect(out).toContain(`cds engine was called with start api --config ${file}\n`);
    expect(out.indexOf('api answers /mon/version')).toBeGreaterThan(0);
    expect(out.indexOf('vcs started')).toBeGreaterThan(out.indexOf('api answers /mon/version'));
    expect(out).toContain(`"url":"http://127.0.0.1:${port}","msg":"waiting for the CDS API"`);
  });

  it('starts an API again that has answered, and gives it the one file with [api]', async () => {
    const port = await freePort();
    const folder = engine.folder();
    fakeCdsEngine(join(folder, 'engine'), port);
    const apiFile = configFile('[api]\nname = "cds-api"\n');
    const files = [...twoFiles(readyConfig({ apiUrl: `http://127.0.0.1:${port}` })), apiFile];
    const env = { PATH: `${folder}${delimiter}${PLAIN_PATH}` };
    const options = (all: string[]) => all.flatMap((file) => ['--config', file]);
    const running = await engine.start(['start', 'api', 'vcs', ...options(files)], env);
    await running.waitForOutput('vcs started');
    await running.waitForOutput(`cds engine was called with start api --config ${apiFile}\n`);

    const { pid } = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await waitFor(() => running.stdout().match(/^api listens$/gm)?.length === 2);

    running.kill('SIGTERM');
    expect(await running.exited).toMatchObject({ code: 0 });
    expect(running.stdout().match(/^vcs started/gm)).toHaveLength(1);
    expect(await engine.call(['start', 'api', 'vcs', ...options(twoFiles())], env)).toMatchObject({
      code: 2,
      err: expect.stringContaining('none of the configuration files has a section [api]'),
    });
  });

  it('can be stopped while it waits, and ends when the API does not come up', async () => {
    const port = await freePort();
    const file = configFile(readyConfig({ apiUrl: `http://127.0.0.1:${port}` }));
    const sleeping = writeScript(join(engine.folder(), 'cds'), '#!/bin/sh\nsleep 60\n');
    const waiting = await engine.start(['start', 'api', 'vcs', '--config', file], {
      CDS_ENGINE: sleeping,
    });
    await waiting.waitForOutput('waiting for the CDS API');
    waiting.kill('SIGTERM');
    expect(await waiting.exited).toMatchObject({ code: 0 });

    const broken = writeScript(join(engine.folder(), 'cds'), '#!/bin/sh\nexit 4\n');
    const ended = await engine.start(['start', 'api', 'vcs', '--config', file], {
      CDS_ENGINE: broken,
    });
    expect(await ended.exited).toMatchObject({ code: 4 });
    expect(ended.stdout()).toContain('"end":{"code":4,"signal":null},"others":[]');
    expect(`${waiting.stdout()}${ended.stdout()}`).not.toContain('vcs started');
  });

  it('ends when the engine of CDS asks something, which nobody could answer', async () => {
    const file = configFile(readyConfig({ apiUrl: `http://127.0.0.1:${await freePort()}` }));
    const asking = '#!/bin/sh\necho "What do you want to do?"\nread answer || exit 5\nsleep 60\n';
    const CDS_ENGINE = writeScript(join(engine.folder(), 'cds'), asking);
    const running = await engine.start(['start', 'api', 'vcs', '--config', file], { CDS_ENGINE });

    expect(await running.exited).toMatchObject({ code: 5 });
    expect(running.stdout()).toContain('What do you want to do?');
    expect(running.stdout()).not.toContain('vcs started');
  });

  it('says in one sentence that there is no engine of CDS', async () => {
    const args = ['start', 'api', 'vcs', 'hooks', '--config', configFile()];
    const { code, err } = await engine.call(args);

    expect(err).toMatch(
      /^error: cannot start api: the engine of CDS itself was not found\. Download [^\n]*\n$/,
    );
    expect(code).toBe(1);
  });

  it('never takes itself for it, under any name and through any link', async () => {
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
    const args = ['start', 'api', '--config', configFile()];
    const start = (env: NodeJS.ProcessEnv) => engine.run(args, env);
    const refusal = async (env: NodeJS.ProcessEnv) => (await engine.call(args, env)).err;

    expect(start({ PATH: `${folder}${delimiter}${PLAIN_PATH}` }).err).toContain('was not found');
    for (const CDS_ENGINE of [join(folder, 'cds-engine'), shim])
      expect(await refusal({ CDS_ENGINE })).toContain('is this command and not the engine of CDS');
    expect(
      await refusal({ CDS_ENGINE: listed, CDS_BITBUCKET_ENGINE: `/x${delimiter}${listed}` }),
    ).toContain('is this command');
    // Not to be seen from outside: it is noticed when it comes back.
    const looped = start({ CDS_ENGINE: wrapper });
    expect(looped.err).toContain('what was taken for the engine of CDS is this command');
    expect(looped.code).toBe(1);
    expect(await refusal({ CDS_ENGINE: '/no/such/file' })).toContain('not an executable file');
  });
});

it('says what to do where a service is missing beside it', async () => {
  const services = join(engine.home, 'services');
  renameSync(services, `${services}-away`);
  const { code, err } = await engine.call(['start', 'vcs', 'hooks', '--config', configFile()]);
  renameSync(`${services}-away`, services);

  expect(err).toBe(
    `error: the vcs service is not installed with this command: ${services}/vcs/main.js is missing. Install the package of the engine again.\n`,
  );
  expect(code).toBe(1);
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

    expect(await engine.call(['vcs', 'webhook', UUID, '--config', file])).toEqual({
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
    expect((await engine.call(['vcs', 'webhook', UUID, '--config', keyed])).out).toContain(
      `Secret: ${secretOf('a-key-of-its-own-for-webhooks', UUID)}\n`,
    );
  });

  it('says what the configuration makes of one that vcs knows nothing of', async () => {
    const text = readyConfig({ redisPort: redis.port }).replace(
      'name = "my-hooks"',
      'name = "h"\nurlPublic = "https://public.example"',
    );

    const { code, out, err } = await engine.call([
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

    const { code, out, err } = await engine.call([
      'vcs',
      'webhook',
      'u-1',
      '--config',
      configFile(text),
    ]);

    expect(out).toBe(
      `URL: https://proxy.example/in/u-1\nEvents: repo:push\nSecret: ${secretOf('hunter2', 'u-1')}\n`,
    );
    expect(err).toContain('Redis of vcs cannot be asked');
    expect(code).toBe(0);
  });

  it('takes the two files of the guides, in whatever order', async () => {
    const text = readyConfig({ redisPort: redis.port }).replace(
      'name = "my-hooks"',
      'name = "h"\nurlPublic = "https://public.example"',
    );
    const files = twoFiles(text);
    for (const [a, b] of [files, files.toReversed()] as [string, string][])
      expect(
        await engine.call(['vcs', 'webhook', 'u-1', '--config', a, '--config', b]),
      ).toMatchObject({
        code: 0,
        out: `URL: https://public.example/webhook/u-1\nEvents: repo:push\nSecret: ${secretOf('hunter2', 'u-1')}\n`,
      });
  });

  it('needs no server for a webhook of a VCS project', async () => {
    const [both = '', hooks = ''] = readyConfig({ redisPort: await freePort() })
      .replace('"hunter2"', `"${CONSUMER_TOKENS.vcs}"`)
      .replace('"hunter2"', `"${CONSUMER_TOKENS.hooks}"`)
      .replaceAll(/^name = .*$/gm, `$&\nwebhookKey = "${'k'.repeat(32)}"`)
      .split(/^\[vcs\.servers[^]*?(?=\[hooks\])/m);
    const webhook = async (text: string) =>
      (await engine.call(['vcs', 'webhook', 'u-1', '--config', configFile(text)])).out;
    const secret = secretOf('k'.repeat(32), 'u-1');

    expect(await webhook(`${both}${hooks}`)).toBe(
      `URL: http://localhost:8083/webhook/u-1\nEvents: repo:push\nSecret: ${secret}\n`,
    );
    const proxied = both.replace('[vcs]', '[vcs]\nproxyWebhook = "https://proxy.example/in/"');
    expect(await webhook(`${proxied}${hooks}`)).toContain('URL: https://proxy.example/in/u-1\n');
  });

  it('says that it needs [hooks] where only that can tell', async () => {
    const [vcsOnly = ''] = readyConfig({ redisPort: redis.port }).split('[hooks]');

    const { code, err } = await engine.call([
      'vcs',
      'webhook',
      'u-1',
      '--config',
      configFile(vcsOnly),
    ]);

    expect(err).toContain('The URL of a webhook is made of [hooks] urlPublic.');
    expect(code).toBe(1);
  });
});
