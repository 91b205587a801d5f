import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('package-lock.json', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>;
  };

  it('has an entry for every optional package of every platform, which `npm ci` asks for', () => {
    const known = new Set(
      Object.keys(lock.packages).map((path) => path.split('node_modules/').pop()),
    );
    const missing = Object.values(lock.packages)
      .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
      .filter((name) => !known.has(name));

    expect(missing).toEqual([]);
  });

  it('carries no download address, so that it works behind any registry', () => {
    expect(Object.values(lock.packages).filter((entry) => entry.resolved)).toEqual([]);
  });
});

describe('the workflow of the public CI', () => {
  const workflow = read('.github/workflows/ci.yml');
  const [head = '', body = ''] = workflow.split(/^jobs:\n/m);
  const jobs = body.split(/^ {2}(?=\w+:\n)/m).slice(1);

  it('asks for advisories on what is shipped, in a job that stands for itself', () => {
    const auditing = jobs.filter((job) => /^ +- run: npm audit --omit=dev$/m.test(job));
    expect(auditing).toHaveLength(1);
    expect(auditing[0]).toMatch(/^audit:\n/);
    expect(auditing[0]).not.toMatch(/needs:|\.ci\/run/);
    expect(workflow).not.toMatch(/needs:.*audit/);
  });

  it('may read the repository and no more, and keeps no credentials', () => {
    expect(head).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    for (const job of jobs) {
      expect(job).not.toContain('permissions:');
      expect(job).toMatch(/uses: actions\/checkout@v4\n +with:\n +persist-credentials: false\n/);
    }
  });
});

describe('SECURITY.md', () => {
  it('says how to report a flaw in private, and invents no address', () => {
    const text = read('SECURITY.md');
    expect(text).toContain('Report a vulnerability');
    expect(text).not.toMatch(/\S+@\S+\.\w+|mailto:/);
  });
});

describe('module boundaries', () => {
  const probes: [file: string, code: string, sentence: string][] = [
    ['apps/vcs/src/probe.ts', "import '../../hooks/src/main';", 'Nothing imports an app'],
    ['apps/vcs/src/probe.ts', "import '../../../tools/sandbox/main';", 'do not depend on tools'],
    ['apps/hooks/src/probe.ts', "import '@cds/testing';", 'for tests and tools only'],
    ['apps/hooks/src/probe.ts', "import '../../../libs/wire/src';", 'by its alias'],
    ['libs/bitbucket/src/probe.ts', "import '@cds/wire';", 'knows nothing of CDS'],
    ['libs/wire/src/probe.ts', "import '@cds/config';", 'depend on nothing else'],
    ['apps/vcs/src/probe.ts', "import '@cds/wire';", ''],
  ];
  let messages: string[];

  beforeAll(() => {
    const script = `
      const { ESLint } = await import('eslint');
      const eslint = new ESLint();
      const results = [];
      for (const [filePath, code] of ${JSON.stringify(probes)})
        results.push(...(await eslint.lintText(code, { filePath })));
      console.log(JSON.stringify(results.map((r) => r.messages.map((m) => m.message).join())));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    messages = JSON.parse(stdout) as string[];
  });

  it.each(probes.map((probe, index) => [...probe, index] as const))(
    'of %s for %s: "%s"',
    (_file, _code, sentence, index) => {
      if (sentence) expect(messages[index]).toContain(sentence);
      else expect(messages[index]).toBe('');
    },
  );
});

describe('docker-compose.yml', () => {
  it('passes dclint without a remark', () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      ['node_modules/dclint/bin/dclint.cjs', '--max-warnings', '0', 'docker-compose.yml'],
      { cwd: root, encoding: 'utf8' },
    );

    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.not.stringContaining('error') });
  });

  it('keeps the append-only file of Redis on a volume and never evicts', () => {
    const compose = read('docker-compose.yml');

    expect(compose).toMatch(/--appendonly', 'yes'/);
    expect(compose).toMatch(/noeviction/);
    expect(compose).toMatch(/redis-data:\/data/);
  });
});

describe.each(['apps/vcs', 'apps/hooks', 'apps/engine', 'tools/sandbox'])(
  '%s/Dockerfile',
  (folder) => {
    const instructions = read(`${folder}/Dockerfile`)
      .replace(/\\\n/g, ' ')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));

    it('is built in stages on a base image that is an argument, and runs as no root', () => {
      expect(instructions[0]).toBe('ARG NODE_IMAGE=node:24-slim');
      expect(instructions.filter((line) => line.startsWith('FROM ${NODE_IMAGE}'))).toHaveLength(2);
      expect(instructions).toContain('USER node');
      expect(instructions.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
    });
  },
);

describe('set-up without what it needs', () => {
  let bin: string;
  beforeEach(() => (bin = mkdtempSync(join(tmpdir(), 'path-'))));
  afterEach(() => rmSync(bin, { recursive: true, force: true }));

  const ensureRedis = (id: number) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `process.getuid = () => ${id};
         const { ensureRedis } = await import(${JSON.stringify(join(root, 'tools/setup/ensure-redis.mjs'))});
         ensureRedis();
         console.log('there');`,
      ],
      { env: { PATH: bin }, encoding: 'utf8' },
    );

  const command = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };

  it('says that Redis has to be installed where there is no package manager', () => {
    const { stderr, status } = ensureRedis(0);

    expect(stderr).toContain('please install Redis');
    expect(status).toBe(1);
  });

  it('gives the line to run where installing needs root', () => {
    command('apt-get', 'exit 0');

    const { stderr, status } = ensureRedis(1000);

    expect(stderr).toContain('sudo sh -c');
    expect(stderr).toContain('apt-get install -y --no-install-recommends redis-server');
    expect(status).toBe(1);
  });

  it('installs Redis from the system packages as root', () => {
    symlinkSync('/bin/sh', join(bin, 'sh'));
    command(
      'apt-get',
      `[ "$1" = update ] || { echo '#!/bin/sh' > ${bin}/redis-server && /bin/chmod 755 ${bin}/redis-server; }`,
    );

    const { stdout, status } = ensureRedis(0);

    expect(stdout).toContain('there');
    expect(status).toBe(0);
  });

  it('refuses a Node.js that is too old', () => {
    const { stderr, status } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { ensureNode } = await import(${JSON.stringify(join(root, 'tools/setup/ensure-node.mjs'))});
         ensureNode('20.20.0'); ensureNode('20.18.3');`,
      ],
      { encoding: 'utf8' },
    );

    expect(stderr).toContain('this is 20.18.3: please upgrade');
    expect(status).toBe(1);
  });
});
