import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '@cds/config';
import { writeHealthAddress } from '@cds/service';
import { silentLogger } from '@cds/testing';
import { validate } from 'dockerfile-utils';
import { stringify } from 'yaml';
import { mergedCompose, type ComposeService } from './compose.fixture';
import { read, repositoryFiles, root } from './repository.fixture';

const BASE = 'docker-compose.yml';
const CDS = 'tools/compose/cds.yml';
const CDS_041 = 'tools/compose/cds-0.41.yml';
const OUR_SERVICES = ['hooks', 'sandbox', 'vcs'];
/** A tag down to the patch, or a digest. PostgreSQL has two numbers from 10 on. */
const PINNED =
  /^[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)*$|^postgres:\d{2}\.\d+-alpine$|@sha256:[0-9a-f]{64}$/;
const SECRET = /(TOKEN|PASSWORD|SECRET|KEY)$/;

const stacks = {
  sandbox: mergedCompose(BASE),
  cds: mergedCompose(BASE, CDS),
  'cds-0.41': mergedCompose(BASE, CDS_041),
};
const started = (services: Record<string, ComposeService>, ...profiles: string[]) =>
  Object.keys(services)
    .filter((name) => {
      const wanted = services[name]?.profiles;
      return !wanted || wanted.some((profile) => profiles.includes(profile));
    })
    .sort();

/** By its image, as ours are, or by the file. */
const isChecked = (services: Record<string, ComposeService>, name: string) =>
  OUR_SERVICES.includes(name) || services[name]?.healthcheck !== undefined;

/** Values that `.env` may have, by the variables that its example names. */
function settingsOf(example: string): Record<string, string> {
  const names = [...read(example).matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '']) => name);
  return Object.fromEntries(
    names.map((name) => [
      name,
      name.endsWith('URL') ? 'https://tunnel.example.com' : `${name}-0123456789abcdef0123456789`,
    ]),
  );
}
const EXAMPLE = 'tools/compose/.env.example';
const EXAMPLE_041 = 'tools/compose/.env-0.41.example';
const ALL_SETTINGS = { ...settingsOf(EXAMPLE), ...settingsOf(EXAMPLE_041) };
const fillIn = (value: string) =>
  value.replace(/\$\{(\w+):\?[^}]*\}/g, (_all, name: string) => ALL_SETTINGS[name] ?? '');

describe.each([BASE, CDS, CDS_041])('%s', (file) => {
  it('passes dclint without a remark', () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      ['node_modules/dclint/bin/dclint.cjs', '--max-warnings', '0', file],
      { cwd: root, encoding: 'utf8' },
    );

    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.not.stringContaining('error') });
  });
});

/** Of services and keys: the merged result has that of two files. */
const ORDERS = [
  'top-level-properties-order',
  'services-alphabetical-order',
  'service-keys-order',
  'service-dependencies-alphabetical-order',
];

it.each(['cds', 'cds-0.41'] as const)('%s passes dclint merged, too', (stack) => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'));
  const file = join(folder, 'docker-compose.yml');
  const { services } = stacks[stack];
  // dclint knows no profiles: what is never started together shares ports.
  const together = started(services, 'hatchery').map((name) => [name, services[name]]);
  const merged = { ...stacks[stack], services: Object.fromEntries(together) as unknown };
  writeFileSync(file, stringify(merged, { aliasDuplicateObjects: false }));

  const { stdout, status } = spawnSync(
    process.execPath,
    [
      'node_modules/dclint/bin/dclint.cjs',
      file,
      '--max-warnings',
      '0',
      '--disable-rule',
      ...ORDERS,
      // What is a matter of how the merged file is written.
      'require-quotes-in-ports',
    ],
    { cwd: root, encoding: 'utf8' },
  );
  rmSync(folder, { recursive: true });

  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.not.stringContaining('error') });
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compose-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * The file that a service starts with, as CDS makes it; none where it starts from its environment.
 */
function fileOf(service: string, command: readonly string[] | undefined) {
  if (!command) return { file: [], name: service };
  expect(command).toEqual(['--config', `/conf/${service}.toml`]);
  const file = join(folder, `${service}.toml`);
  const payload = Buffer.from(
    JSON.stringify({ type: 'signinBuiltinConsumerToken', data: { consumer_id: service } }),
  ).toString('base64url');
  writeFileSync(
    file,
    `[${service}]\nname = "of-cds"\n[${service}.api]\ntoken = "e30.${payload}.c2ln"\n`,
  );
  return { file: [file], name: 'of-cds' };
}

describe.each(Object.entries(stacks))('the %s stack', (_name, { services }) => {
  const entries = Object.entries(services);

  it('gives our containers a read-only root, no capability, and none to gain', () => {
    for (const name of OUR_SERVICES)
      expect(services[name]).toMatchObject({
        build: { context: '.', target: name },
        read_only: true,
        tmpfs: ['/tmp'],
        cap_drop: ['ALL'],
      });
    for (const [, service] of entries)
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
  });

  it('pins what it does not build', () => {
    for (const [name, { image, build }] of entries)
      expect([name, build ? 'built' : image]).toEqual([
        name,
        build ? 'built' : expect.stringMatching(PINNED),
      ]);
  });

  it('publishes its ports to this machine alone, and each one once', () => {
    const ports = started(services).flatMap((name) => services[name]?.ports ?? []);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
  });

  it('waits for what is healthy, or has ended well', () => {
    for (const [, { depends_on: dependencies = {} }] of entries)
      for (const [name, { condition }] of Object.entries(dependencies))
        expect([name, condition]).toEqual([
          name,
          isChecked(services, name) ? 'service_healthy' : 'service_completed_successfully',
        ]);
  });

  it('keeps the append-only file of Redis on a volume and never evicts', () => {
    expect(services['redis']?.command?.join(' ')).toContain('--appendonly yes');
    expect(services['redis']?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
    expect(services['redis']?.volumes).toEqual(['redis-data:/data']);
  });

  it.each(['vcs', 'hooks'] as const)('sets what %s starts with', (service) => {
    const { file, name } = fileOf(service, services[service]?.command);
    const environment = services[service]?.environment ?? {};
    const env = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, fillIn(value)]),
    );

    const { warnings, [service]: config } = loadConfig({ services: [service], files: file, env });

    // The stand-in of Bitbucket is in the network of the stack, which hooks cannot know by itself.
    const isInside = /^http:\/\/hooks:/.test(env['CDS_HOOKS_URLPUBLIC'] ?? '');
    expect(warnings.map(({ key }) => key)).toEqual(isInside ? ['hooks.urlPublic'] : []);
    expect(config).toMatchObject({ name });
  });
});

const REAL = [
  {
    ...({ stack: 'cds', file: CDS, example: EXAMPLE, version: '0.57.0', images: 7 } as const),
    jobs: ['cds-db-schema', 'cds-migrate', 'cds-prepare'],
    others: ['cds-api', 'cds-cdn', 'cds-db', 'cds-repositories', 'cds-ui'],
    volumes: ['cds-conf', 'cds-db-data', 'hooks-conf', 'redis-data', 'vcs-conf'],
    ui: '127.0.0.1:8080:8080',
    vcs: { CDS_VCS_API_TOKEN: '', CDS_VCS_NAME: '' },
    secrets: 6,
  },
  {
    ...({
      stack: 'cds-0.41',
      file: CDS_041,
      example: EXAMPLE_041,
      version: '0.41.0',
      images: 4,
    } as const),
    jobs: ['cds-migrate'],
    others: ['cds-api', 'cds-db', 'cds-ui'],
    volumes: ['cds-db-data', 'redis-data'],
    ui: '127.0.0.1:4200:2015',
    vcs: {
      CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_APIURL: 'https://api.bitbucket.org/2.0',
    },
    secrets: 10,
  },
];

it('keeps the volumes of every stack apart from those of the others', () => {
  const names = Object.values(stacks).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(REAL)('the stack with the real CDS $version', (real) => {
  const { services, volumes, name } = stacks[real.stack];
  const SETTINGS = settingsOf(real.example);

  it('runs CDS with our services in place of its own, and without the sandbox', () => {
    const running = [...real.others, ...real.jobs, 'hooks', 'redis', 'vcs'].sort();
    expect(started(services)).toEqual(running);
    expect(started(services, 'hatchery')).toEqual([...running, 'cds-hatchery'].sort());
    const values = started(services).map((each) => {
      const { environment = {}, ...service } = services[each] ?? {};
      return [service, Object.values(environment)];
    });
    expect(JSON.stringify(values)).not.toContain('//sandbox');
  });

  it('keeps its volumes apart', () => {
    expect(Object.keys(volumes).sort()).toEqual(real.volumes);
  });

  it('has one version of CDS, and a health check for every service that is no job', () => {
    const versions = Object.values(services)
      .map(({ image }) => image)
      .filter((image) => image?.startsWith('ovhcom/'));
    expect(versions).toHaveLength(real.images);
    for (const image of versions) expect(image?.split(':')[1]).toBe(real.version);
    for (const each of started(services))
      expect([each, isChecked(services, each)]).toEqual([each, !real.jobs.includes(each)]);
  });

  it('serves the UI where CDS documents it, and reaches our services where they listen', () => {
    expect(services['cds-ui']?.ports).toEqual([real.ui]);
    expect(services['vcs']?.environment).toMatchObject({
      CDS_VCS_API_HTTP_URL: 'http://cds-api:8081',
      CDS_VCS_URL: 'http://vcs:8084',
      ...real.vcs,
    });
    expect(services['hooks']?.environment).toMatchObject({
      CDS_HOOKS_API_HTTP_URL: 'http://cds-api:8081',
      CDS_HOOKS_URL: 'http://hooks:8083',
    });
  });

  it('has no secret in it: each is a variable of .env without which nothing starts', () => {
    const secrets = Object.entries(services)
      .filter(([service]) => service !== 'sandbox')
      .flatMap(([, { environment = {} }]) => Object.entries(environment))
      .filter(([variable, value]) => SECRET.test(variable) && value !== '');

    expect(secrets.length).toBeGreaterThanOrEqual(real.secrets);
    for (const [, value] of secrets) expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    expect(JSON.stringify(services['cds-migrate']?.command)).toMatch(/\$\$CDS_DB_PASSWORD/);
  });

  it('asks for the variables that its example names, and these hold nothing', () => {
    const example = read(real.example);
    const asked = [...read(real.file).matchAll(/(?<!\$)\$\{(\w+)/g)].map(
      ([, variable]) => variable,
    );

    expect([...new Set(asked)].sort()).toEqual(Object.keys(SETTINGS).sort());
    expect(example).not.toMatch(/^[A-Z_]+=.+$/m);
    for (const file of ['.gitignore', '.dockerignore'])
      expect(read(file).split('\n')).toContain('.env');
  });

  const compose = (...args: string[]) =>
    spawnSync('docker', ['compose', ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, COMPOSE_DISABLE_ENV_FILE: '1', ...SETTINGS },
    });
  const hasCompose = compose('version').status === 0;

  (hasCompose ? it : it.skip)(
    `is to Docker Compose what it is here${hasCompose ? '' : ' (skipped: Docker Compose is not installed)'}`,
    () => {
      const { stdout, status } = compose('-f', BASE, '-f', real.file, 'config', '--format', 'json');
      expect(status).toBe(0);
      const theirs = JSON.parse(stdout) as {
        name: string;
        services: Record<string, { environment: Record<string, string>; read_only?: boolean }>;
      };

      expect(theirs.name).toBe(name);
      expect(Object.keys(theirs.services).sort()).toEqual(started(services));
      for (const [each, service] of Object.entries(theirs.services)) {
        const ours = services[each];
        expect(service.read_only).toBe(ours?.read_only);
        expect(service.environment).toEqual(
          ours?.environment &&
            Object.fromEntries(
              Object.entries(ours.environment).map(([key, value]) => [key, fillIn(value)]),
            ),
        );
      }
    },
  );

  (hasCompose ? it : it.skip)(
    `starts nothing without its secrets${hasCompose ? '' : ' (skipped: Docker Compose is not installed)'}`,
    () => {
      for (const missing of Object.keys(SETTINGS)) {
        const { stderr, status } = spawnSync(
          'docker',
          ['compose', '-f', BASE, '-f', real.file, 'config'],
          {
            cwd: root,
            encoding: 'utf8',
            env: {
              ...process.env,
              COMPOSE_DISABLE_ENV_FILE: '1',
              ...SETTINGS,
              [missing]: '',
            },
          },
        );
        expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining(missing)]);
        expect(status).not.toBe(0);
      }
    },
  );
});

/** Files like those of the official image of Node.js, one of them with the right to become root. */
function baseWithPackageManagers(): string {
  const base = mkdtempSync(join(tmpdir(), 'base-'));
  const files = [
    ...['node', 'npm', 'npx', 'corepack', 'yarn', 'yarnpkg'].map((name) => `usr/local/bin/${name}`),
    'usr/local/lib/node_modules/npm/package.json',
    'usr/local/include/node/node.h',
    'usr/local/LICENSE',
    'opt/yarn-v1.22.22/bin/yarn',
    'usr/bin/passwd',
  ];
  for (const path of files) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), '');
  }
  chmodSync(join(base, 'usr/bin/passwd'), 0o4755);
  return base;
}

it('has one Dockerfile', () => {
  expect(repositoryFiles().filter((file) => file.endsWith('Dockerfile'))).toEqual(['Dockerfile']);
});

const IMAGES = ['vcs', 'hooks', 'sandbox', 'engine'];
const dockerfile = read('Dockerfile');
const instructions = dockerfile
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'));
const FROM = 'FROM ';
/** The instructions of a stage, its FROM first. */
const stage = (name: string) => {
  const first = instructions.findIndex(
    (line) => line.startsWith(FROM) && line.endsWith(` ${name}`),
  );
  const next = instructions.findIndex((line, index) => index > first && line.startsWith(FROM));
  return instructions.slice(first, next < 0 ? undefined : next);
};
const labelsOf = (name: string) =>
  Object.fromEntries(
    [
      ...(stage(name).find((line) => line.startsWith('LABEL ')) ?? '').matchAll(
        /org\.opencontainers\.image\.([\w.]+)="([^"]+)"/g,
      ),
    ].map(([, key = '', value]) => [key, value]),
  );

it('releases every image on the digest that one look at the base found', () => {
  const release = read('.github/workflows/release.yml');

  expect(release).toContain('echo "image=$image@$digest"');
  expect(release).toContain('base: ${{ steps.base.outputs.image }}');
  expect(release).toContain('NODE_IMAGE=${{ needs.verify.outputs.base }}');
});

describe('the Dockerfile', () => {
  it('passes the Dockerfile linter without a remark', () => {
    expect(validate(dockerfile)).toEqual([]);
  });

  it('is built in stages on a pinned base image that is an argument, and runs as no root', () => {
    expect(/^ARG NODE_IMAGE=(.+)$/.exec(instructions[0] ?? '')?.[1]).toMatch(PINNED);
    expect(instructions.filter((line) => line.startsWith(FROM))).toEqual([
      'FROM ${NODE_IMAGE} AS base',
      'FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS build',
      'FROM scratch AS runtime',
      ...IMAGES.map((image) => `FROM runtime AS ${image}`),
    ]);
    expect(stage('runtime')).toEqual(
      expect.arrayContaining(['USER node', 'STOPSIGNAL SIGTERM', 'ENTRYPOINT ["node", "main.js"]']),
    );
    for (const name of ['runtime', ...IMAGES])
      expect(stage(name).filter((line) => /^(RUN|USER root)/.test(line))).toEqual([]);
  });

  it('takes from its base what it needs alone: no package manager, no other user’s rights', () => {
    expect(instructions).toEqual(
      expect.arrayContaining(['COPY --from=base / /base/', 'RUN tools/build/reduce-base.sh /base']),
    );
    const copies = (name: string) => stage(name).filter((line) => line.startsWith('COPY '));
    expect(copies('runtime')).toEqual(['COPY --from=build /base/ /']);
    for (const image of IMAGES)
      expect(copies(image)).toEqual([
        `COPY --from=build /src/dist/${image === 'sandbox' ? 'tools' : 'apps'}/${image} ./`,
      ]);
    const folder = baseWithPackageManagers();
    const { status } = spawnSync('tools/build/reduce-base.sh', [folder], { cwd: root });
    const left = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const { mode } = statSync(join(folder, 'usr/bin/passwd'));
    rmSync(folder, { recursive: true });

    expect(status).toBe(0);
    expect(left.filter((path) => /npm|npx|corepack|yarn|include/.test(path))).toEqual([]);
    expect(left).toEqual(expect.arrayContaining(['usr/local/bin/node', 'usr/local/LICENSE']));
    expect(mode & 0o7777).toBe(0o755);
  });

  it.each(IMAGES)(
    'asks %s for its health by bash, which a start of Node.js outweighs',
    async (image) => {
      const check = stage(image).find((line) => line.startsWith('HEALTHCHECK ')) ?? '';
      const [shell = '', ...args] = JSON.parse(check.slice(check.indexOf('CMD ') + 4)) as string[];
      expect([shell, args[0]]).toEqual(['bash', '-c']);

      const variable = /\$\{(\w+_HTTP_PORT|ENGINE_HEALTH_PORTS)/.exec(check)?.[1];
      // The ports of the sandbox are fixed.
      if (variable === undefined) return expect(image).toBe('sandbox');
      const folder = mkdtempSync(join(tmpdir(), 'cds-health-'));
      const codeWhere = async (status: number, others = '') => {
        const server = createServer((request, response) => {
          response.writeHead(request.url === '/mon/version' ? status : 404).end();
        }).listen(0, '127.0.0.1');
        await once(server, 'listening');
        const port = `${(server.address() as AddressInfo).port}${others}`;
        const ask = (env: Record<string, string>) =>
          once(spawn(shell, args, { env: { HEALTH_FOLDER: folder, ...env } }), 'close');
        const [code] = (await ask({ [variable]: port })) as [number];
        // What the service wrote, in place of what the environment says.
        if (others === '') {
          const service = image === 'vcs' ? 'vcs' : 'hooks';
          process.env['HEALTH_FOLDER'] = folder;
          writeHealthAddress({ service, addr: '', port: Number(port), logger: silentLogger() });
          delete process.env['HEALTH_FOLDER'];
          expect(await ask(image === 'engine' ? {} : { [variable]: '1' })).toEqual([code, null]);
          rmSync(join(folder, `cds-${service}`));
        }
        await new Promise((closed) => server.close(closed));
        const [nobody] = (await ask({ [variable]: port })) as [number];
        return [code, nobody];
      };
      expect(await codeWhere(200)).toEqual([0, 1]);
      expect(await codeWhere(503)).toEqual([1, 1]);
      // Every one of several has to answer; nobody listens on port 1.
      if (image === 'engine') expect(await codeWhere(200, ',1')).toEqual([1, 1]);
      rmSync(folder, { recursive: true });
    },
  );

  it('says in labels what it is, of which version and of which commit', () => {
    expect(labelsOf('runtime')).toEqual({
      licenses: 'BSD-3-Clause',
      version: '${VERSION}',
      revision: '${GIT_COMMIT}',
      created: '${BUILD_TIME}',
      source: '${SOURCE}',
      'base.name': '${NODE_IMAGE}',
    });
    for (const argument of ['VERSION', 'GIT_COMMIT', 'BUILD_TIME', 'SOURCE'])
      expect(stage('runtime').some((line) => line.startsWith(`ARG ${argument}=`))).toBe(true);
    for (const image of IMAGES)
      expect(labelsOf(image)).toEqual({
        title: `cds-bitbucket-cloud-${image}`,
        description: expect.any(String),
      });
  });

  it('copies no secret into the build: what git ignores, the build does not see either', () => {
    expect(instructions.filter((line) => /^ADD /.test(line))).toEqual([]);
    expect(read('.dockerignore').split('\n')).toEqual(
      expect.arrayContaining(['.git', '.env', 'node_modules', 'dist']),
    );
  });
});
