import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, takesTime, waitFor } from '@cds/testing';
import {
  createWorkflow,
  outcomes,
  REPO,
  root,
  runsOf,
  startStack,
  type ServiceName,
  type Stack,
} from '../e2e/stack.fixture';
import {
  cpuTimeOf,
  filesIn,
  inspectImage,
  podman,
  tried,
  type HealthCheck,
} from './podman.fixture';

const { name: project, version } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as Record<'name' | 'version', string>;
const base = process.env['NODE_IMAGE'] ?? '';
const MB = 1_000_000;

const EVERYWHERE = ['LICENSE', 'THIRD-PARTY-LICENSES', 'main.js', 'sbom.cdx.json'];
const APP = [...EVERYWHERE, 'package.json'];
const images = [
  { app: 'vcs', ports: ['8084/tcp'], files: APP },
  { app: 'hooks', ports: ['8083/tcp', '8086/tcp'], files: [...APP, 'heavy-work-thread.js'] },
  {
    app: 'engine',
    ports: ['8083/tcp', '8084/tcp', '8086/tcp'],
    files: [
      ...APP,
      'services',
      'services/hooks',
      'services/hooks/heavy-work-thread.js',
      'services/hooks/main.js',
      'services/vcs',
      'services/vcs/main.js',
    ],
  },
  { app: 'sandbox', ports: ['4200/tcp', '8081/tcp', '8090/tcp'], files: undefined },
].map((image) => ({ ...image, tag: `localhost/${project}-${image.app}:${version}` }));
const tagOf = (app: string) => images.find((image) => image.app === app)?.tag ?? '';

/** Sentences for whoever ran the command: they come after the results. */
const measured: string[] = [];
afterAll(() => {
  console.log(measured.join('\n'));
  // Each look at an image has mounted it.
  podman('image', 'unmount', '--all', '--force');
});

const hasSpecialRights = (file: string) => {
  const stat = lstatSync(file);
  return stat.isFile() && (stat.mode & 0o6000) !== 0;
};

describe.each(images)('the image of $app', ({ app, tag, ports, files }) => {
  const { config, healthCheck, size, layers, folder } = inspectImage(tag);
  const all = filesIn(folder);
  const own = all.filter(({ path }) => path.startsWith('/app/'));
  const paths = all.map(({ path }) => path);

  it('has no package manager', () => {
    const named = /(^|\/)(npm|npx|corepack|yarn|yarnpkg|pnpm)(\.c?js)?$|\/node_modules(\/|$)/;
    expect(paths.filter((path) => named.test(path))).toEqual([]);
    // The base does, so that this test can fail.
    expect(filesIn(inspectImage(base).folder).some(({ path }) => named.test(path))).toBe(true);
  });

  it('has no program that runs as another user than the one who starts it', () => {
    const special = (where: string) =>
      filesIn(where).filter(({ path }) => hasSpecialRights(join(where, path)));

    expect(special(folder)).toEqual([]);
    expect(special(inspectImage(base).folder).map(({ path }) => path)).toContain('/usr/bin/passwd');
  });

  it('has what runs, our licence, those of others and the SBOM, and nothing else of ours', () => {
    const names = own.map(({ path }) => path.slice('/app/'.length));

    if (files) expect(names.sort()).toEqual([...files].sort());
    expect(names).toEqual(expect.arrayContaining(EVERYWHERE));
    // That of Node.js itself.
    expect(paths).toContain('/usr/local/LICENSE');
    expect(paths.filter((path) => /\.map$|\.(spec|test)\.[cm]?[jt]s$|\.ts$/.test(path))).toEqual(
      [],
    );
    for (const { path } of own) {
      const { uid, mode } = lstatSync(join(folder, path));
      expect([path, uid, mode & 0o022]).toEqual([path, 0, 0]);
    }
    const sbom = JSON.parse(readFileSync(join(folder, 'app/sbom.cdx.json'), 'utf8')) as object;
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', components: expect.any(Array) });
  });

  it('says how it is run', () => {
    expect(config).toMatchObject({
      User: 'node',
      Entrypoint: ['node', 'main.js'],
      StopSignal: 'SIGTERM',
    });
    const check = ['CMD', 'bash', '-c', expect.stringContaining('/mon/version')];
    expect(healthCheck?.Test).toEqual(check);
    expect(Object.keys(config.ExposedPorts).sort()).toEqual(ports);
    expect(config.Env.sort()).toEqual(['HEALTH_FOLDER=/dev/shm', 'NODE_ENV=production', PATH]);
    expect(readFileSync(join(folder, 'etc/passwd'), 'utf8')).toMatch(/^node:x:1000:1000:/m);
  });

  it('says what it is', () => {
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': `cds-bitbucket-cloud-${app}`,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{7,40}(-dirty)?$/),
      'org.opencontainers.image.base.name': base,
    });
  });

  it('is smaller than its base', () => {
    const bytes = own
      .filter(({ isDirectory }) => !isDirectory)
      .reduce((sum, { path }) => sum + lstatSync(join(folder, path)).size, 0);
    const ofBase = inspectImage(base).size;
    const mb = (value: number) => `${(value / MB).toFixed(1)} MB`;
    measured.push(`${app}: ${mb(size)}, ${mb(bytes)} of it ours; the base has ${mb(ofBase)}`);

    expect(size).toBeLessThan(ofBase);
    expect(layers).toBeLessThanOrEqual(3);
  });
});
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

describe('vcs and hooks from their images, with a read-only root and no capability', () => {
  const SERVICES = ['vcs', 'hooks'] as const;
  const containerOf = (name: ServiceName) => `images-spec-${process.pid}-${name}`;
  const healthCheckOf = (name: ServiceName): HealthCheck => {
    const { healthCheck } = inspectImage(tagOf(name));
    if (!healthCheck) throw new Error(`the image of ${name} has no health check`);
    return healthCheck;
  };
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      commandOf: (name, env) => [
        'podman',
        'run',
        ...['--name', containerOf(name), '--network', 'host', '--pull', 'never'],
        ...['--read-only', '--read-only-tmpfs=false', '--tmpfs', '/tmp', '--cap-drop', 'ALL'],
        ...['--security-opt', 'no-new-privileges:true'],
        // Where the one who starts it may not raise them.
        ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096'],
        // By name: values would be seen in the list of processes.
        ...Object.keys(env)
          .filter((variable) => variable.startsWith('CDS_'))
          .flatMap((variable) => ['--env', variable]),
        tagOf(name),
      ],
    });
    await stack.startLinked(podmanSettings());
  });
  afterAll(async () => {
    tried('rm', '--force', '--time', '0', ...SERVICES.map(containerOf));
    await stack?.stop();
  });

  it('make a run of a push', async () => {
    await createWorkflow(stack, 'build-web-shop');
    const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'main' });

    expect(await outcomes(pushed)).toEqual([200]);
    expect(await runsOf(stack, 'build-web-shop', 1)).toMatchObject([{ number: 1 }]);
    const statuses = () => stack.bitbucket.statuses(REPO, pushed.hash);
    await waitFor(() => statuses().some(({ state }) => state === 'SUCCESSFUL'), {
      what: 'the status of the commit',
    });
  });

  it.each(SERVICES)('%s is the user node, and can neither write nor gain a right', (name) => {
    const exec = (script: string) => tried('exec', containerOf(name), 'sh', '-c', script);
    const status = exec('cat /proc/1/status').stdout;

    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(exec('awk \'$2 == "/" {print $4}\' /proc/mounts').stdout).toMatch(/^ro(,|$)/m);
    expect(exec('echo x > /app/x').status).not.toBe(0);
    expect(exec('ls -A /tmp').stdout).toBe('');
  });

  it.each(SERVICES)('%s is healthy by the check of its image, which can fail', async (name) => {
    const variable = `CDS_${name.toUpperCase()}_HTTP_PORT`;
    const [, ...check] = healthCheckOf(name).Test;
    const elsewhere = await freePort();

    expect(tried('healthcheck', 'run', containerOf(name))).toMatchObject({ status: 0 });
    // Where it cannot write that down, the environment says where it listens.
    const env = ['--env', 'HEALTH_FOLDER=/nowhere', '--env', `${variable}=${elsewhere}`];
    const failed = tried('exec', ...env, containerOf(name), ...check);
    expect(failed.status).toBe(1);
  });

  it.each(SERVICES)('the check of %s costs less than the idle service', async (name) => {
    const CHECKS = 20;
    const container = containerOf(name);
    const { Test, Interval } = healthCheckOf(name);
    const script = Test.at(-1) ?? '';
    const seconds = Interval / 1e9;
    const loop = `for i in $(seq ${CHECKS}); do bash -c "$0" || exit 1; done`;

    const began = cpuTimeOf(container);
    await takesTime(2 * seconds * 1_000);
    const idle = (cpuTimeOf(container) - began) / 2 / 1e6;
    const before = cpuTimeOf(container);
    podman('exec', container, 'bash', '-c', loop, script);
    const check = (cpuTimeOf(container) - before) / CHECKS / 1e6;
    measured.push(
      `${name}: ${idle.toFixed(1)} ms of CPU in ${seconds} s idle, ${check.toFixed(1)} ms a check`,
    );

    expect(check).toBeLessThan(idle);
  });

  it.each(SERVICES)('%s ends by its stop signal, with exit code 0', (name) => {
    podman('stop', '--time', '60', containerOf(name));
    expect(podman('inspect', '--format', '{{.State.ExitCode}}', containerOf(name))).toBe('0');
  });
});

/** Where podman keeps its images: a service's environment says nothing of it. */
function podmanSettings(): Record<string, string> {
  const names = ['CONTAINERS_STORAGE_CONF', 'CONTAINERS_CONF', 'DISABLE_HC_SYSTEMD', 'HOME'];
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']));
}
