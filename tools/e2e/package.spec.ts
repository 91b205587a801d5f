import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startProcess } from '@cds/testing';
import { serviceConfig } from '../sandbox/story/service-config';
import {
  bundle,
  createWorkflow,
  outcomes,
  PROJECT,
  REPO,
  root,
  runsOf,
  startStack,
} from './stack.fixture';

const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`;
const isRoot = process.getuid?.() === 0;
/** Nobody: neither who installed the package nor the owner of anything. */
const OTHER_USER = isRoot ? { uid: 65534, gid: 65534 } : {};
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};

describe.each(['engine', 'vcs', 'hooks', 'sandbox'] as const)('the folder of %s', (app) => {
  const folder = dirname(bundle(app));
  const text = (file: string) => readFileSync(join(folder, file), 'utf8');

  it('has our licence, and of each package in it the licence and an entry in the SBOM', () => {
    const sbom = JSON.parse(text('sbom.cdx.json')) as {
      bomFormat: string;
      components: { group?: string; name: string; version: string }[];
      dependencies: { ref: string; dependsOn?: string[] }[];
    };
    const inSbom = sbom.components.map(
      ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name} ${version}`,
    );
    const licensed = [...text('THIRD-PARTY-LICENSES').matchAll(/^={80}\n(\S+ \S+) \(/gm)];

    expect(text('LICENSE')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
    expect(sbom.bomFormat).toBe('CycloneDX');
    expect(inSbom).toContainEqual(expect.stringMatching(/^express 5\./));
    expect(sbom.dependencies.some(({ dependsOn = [] }) => dependsOn.length > 5)).toBe(true);
    expect(licensed.map(([, name]) => name)).toEqual([...new Set(inSbom)].sort());
  });
});

const CASE = isRoot ? 'for another user' : 'for its own user (another one is skipped: no root)';
describe(`the package of the engine command, ${CASE}`, () => {
  let folder: string;
  let prefix: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cds-package-'));
    chmodSync(folder, 0o755);
    prefix = join(folder, 'prefix');
    run(
      process.execPath,
      join(root, 'tools/build/pack-engine.mjs'),
      dirname(bundle('engine')),
      folder,
    );
    const tarball = `cds-bitbucket-cloud-engine-${version}.tgz`;
    run('npm', 'install', '--global', '--prefix', prefix, join(folder, tarball));
    chmodAll(prefix, 'a-w,a+rX');
  });
  afterAll(() => {
    chmodAll(prefix, 'u+w');
    rmSync(folder, { recursive: true, force: true });
  });

  /** With an empty cache and without a network. */
  function run(command: string, ...args: string[]): void {
    const { status, stderr } = spawnSync(command, args, {
      env: { PATH, HOME: folder, npm_config_offline: 'true', npm_config_cache: `${folder}/cache` },
      encoding: 'utf8',
    });
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
  }

  function chmodAll(path: string, mode: string): void {
    expect(spawnSync('chmod', ['-R', mode, path]).status).toBe(0);
  }

  /**
   * The installed command, as a unit of systemd starts it: another user, no HOME, its folder
   * read-only.
   */
  function engine(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(join(prefix, 'bin', 'engine'), args, {
      ...OTHER_USER,
      env: { PATH },
      cwd: '/',
      encoding: 'utf8',
    });
    return { code: status, out: stdout, err: stderr };
  }

  const installed = () => join(prefix, 'lib/node_modules/cds-bitbucket-cloud-engine');

  it('has what runs, the licences and the SBOM, and asks for no other package', () => {
    const files = readdirSync(installed(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => join(parentPath, name).slice(installed().length + 1));
    const manifest = readFileSync(join(installed(), 'package.json'), 'utf8');

    expect(files.sort()).toEqual([
      'LICENSE',
      'THIRD-PARTY-LICENSES',
      'main.js',
      'package.json',
      'sbom.cdx.json',
      'services/hooks/heavy-work-thread.js',
      'services/hooks/main.js',
      'services/vcs/main.js',
      // The guide copies them from there.
      ...readdirSync(join(root, 'deploy/systemd')).map((unit) => `systemd/${unit}`),
    ]);
    expect(Object.keys(JSON.parse(manifest) as object).sort()).toEqual(
      ['name', 'version', 'license', 'type', 'main', 'bin', 'engines'].sort(),
    );
  });

  it('carries no HTTP server in the command itself, which would be loaded at each call', () => {
    const bundled = (program: string) =>
      /"node_modules\/express\//.test(readFileSync(join(installed(), program), 'utf8'));

    expect(['main.js', 'services/vcs/main.js'].map(bundled)).toEqual([false, true]);
  });

  it('says its version and commit', () => {
    const [, ours, commit = ''] =
      /^version: (.*)\ncommit: (.*)$/m.exec(engine('version').out) ?? [];

    expect(ours).toBe(version);
    expect(commit).toMatch(/^[0-9a-f]{40}(-dirty)?$|^unknown$/);
    expect(engine('--version')).toEqual({
      code: 0,
      out: `${version} (commit ${commit})\n`,
      err: '',
    });
  });

  it.each([
    ['main.js', '18.20.4', 1],
    ['main.js', '20.18.3', 1],
    ['main.js', '20.19.0', 0],
    ['main.js', '24.0.0', 0],
    ['services/hooks/main.js', '18.20.4', 1],
    ['services/vcs/main.js', '18.20.4', 1],
  ])('%s on Node.js %s ends with exit code %d', (program, old, code) => {
    const fake = join(folder, `node-${old}.cjs`);
    writeFileSync(fake, `Object.defineProperty(process.versions, 'node', { value: '${old}' });`);
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--require', fake, join(installed(), program), '--help'],
      { encoding: 'utf8' },
    );

    expect(stderr).toBe(
      code === 0 ? '' : `error: Node.js 20.19 or newer is needed, this is ${old}.\n`,
    );
    expect(status).toBe(code);
  });

  it('prints and checks a configuration, and starts both services, which do their part', async () => {
    const stack = await startStack();
    try {
      const printed = engine('config', 'new', 'vcs', 'hooks');
      expect(printed.code).toBe(0);
      const file = join(folder, 'cds.toml');
      writeFileSync(file, serviceConfig(printed.out, stack.settings));
      expect(engine('config', 'check', file)).toMatchObject({
        code: 0,
        out: 'Configuration file OK\n',
      });

      const started = await startProcess({
        command: join(prefix, 'bin', 'engine'),
        args: ['start', 'vcs', 'hooks', '--config', file],
        env: { PATH },
        cwd: '/',
        user: OTHER_USER,
      });
      try {
        await stack.registered(2);
        await stack.connect();
        await createWorkflow(stack, 'w');
        const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'dev' });
        expect(await outcomes(pushed)).toEqual([200]);
        await runsOf(stack, 'w', 1);
        expect(stack.api.runs(PROJECT, 'w')).toHaveLength(1);
      } finally {
        started.kill('SIGTERM');
      }
      expect(await started.exited).toMatchObject({ code: 0 });
    } finally {
      await stack.stop();
    }
  });
});
