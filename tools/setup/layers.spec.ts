import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { root } from './repository.fixture';

type Tree = Record<string, string[]>;

/** A file that imports another. */
function upward(from: string, to: string): Tree {
  const path = relative(dirname(from), to).replace(/\.ts$/, '');
  return { [to]: [], [from]: [path.startsWith('.') ? path : `./${path}`] };
}

const CYCLE: Tree = {
  'apps/vcs/src/http/one.ts': ['./other'],
  'apps/vcs/src/http/other.ts': ['./one'],
};
const UPWARD = [
  ['apps/vcs/src/http/a0.ts', 'apps/vcs/src/servers/b0.ts', 'vcs-imports-downward'],
  ['apps/vcs/src/servers/a1.ts', 'apps/vcs/src/b1.ts', 'vcs-imports-downward'],
  ['apps/hooks/src/payloads/a2.ts', 'apps/hooks/src/queue/b2.ts', 'hooks-imports-downward'],
  ['apps/hooks/src/queue/a3.ts', 'apps/hooks/src/modules/x/b3.ts', 'hooks-imports-downward'],
  ['apps/hooks/src/queue/a4.ts', 'apps/hooks/src/resources.ts', 'hooks-imports-downward'],
  ['apps/hooks/src/modules/x/a5.ts', 'apps/hooks/src/tasks/b5.ts', 'hooks-imports-downward'],
  ['apps/hooks/src/modules/x/a6.ts', 'apps/hooks/src/modules/y/b6.ts', 'hook-modules-alone'],
  ['apps/hooks/src/tasks/a7.ts', 'apps/hooks/src/b7.ts', 'hooks-imports-downward'],
] as const;
const DOWNWARD: Tree = {
  'apps/hooks/src/queue/a.ts': [],
  'apps/hooks/src/modules/x/b.ts': ['../../queue/a'],
  'apps/hooks/src/hook-modules.ts': ['./modules/x/b'],
  'apps/hooks/src/tasks/c.ts': ['../hook-modules', '../modules/x/b'],
  'apps/hooks/src/queue/a.spec.ts': ['../tasks/c'],
};

describe('the direction of imports', () => {
  let directory: string;
  let violations: { from: string; rule: { name: string } }[];
  // One tree for all: each start of dependency-cruiser loads TypeScript.
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'layers-'));
    cpSync(join(root, 'tsconfig.base.json'), join(directory, 'tsconfig.base.json'));
    const trees = [CYCLE, ...UPWARD.map(([from, to]) => upward(from, to)), DOWNWARD];
    for (const [name, imports] of trees.flatMap((tree) => Object.entries(tree))) {
      const file = join(directory, name);
      mkdirSync(dirname(file), { recursive: true });
      const text = imports.map((from) => `import type {} from '${from}';\n`).join('');
      writeFileSync(file, `${text}export const a = 1;\n`);
    }
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        ...['--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'apps'],
      ],
      { cwd: directory, encoding: 'utf8' },
    );
    if (stdout === '') throw new Error(stderr);
    violations = (JSON.parse(stdout) as { summary: { violations: typeof violations } }).summary
      .violations;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** The rules that files of this tree break. */
  function broken(tree: Tree): string[] {
    const own = violations.filter(({ from }) => from in tree);
    return [...new Set(own.map(({ rule }) => rule.name))];
  }

  it('is never a cycle, of types neither', () => {
    expect(broken(CYCLE)).toEqual(['no-import-cycle']);
  });

  it.each(UPWARD)('is not from %s to %s', (from, to, rule) => {
    expect(broken(upward(from, to))).toEqual([rule]);
  });

  it('is downward', () => {
    expect(broken(DOWNWARD)).toEqual([]);
  });
});
