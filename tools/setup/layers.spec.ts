import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { root } from './repository.fixture';

describe('the direction of imports', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'layers-'));
    cpSync(join(root, 'tsconfig.base.json'), join(directory, 'tsconfig.base.json'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** The rules that a tree of such files breaks: name → imports. */
  function broken(files: Record<string, string[]>): string[] {
    for (const [name, imports] of Object.entries(files)) {
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
    const result = JSON.parse(stdout) as {
      summary: { violations: { rule: { name: string } }[] };
    };
    return [...new Set(result.summary.violations.map(({ rule }) => rule.name))];
  }

  it('is never a cycle, of types neither', () => {
    const [one, other] = ['apps/vcs/src/http/one.ts', 'apps/vcs/src/http/other.ts'];
    expect(broken({ [one]: ['./other'], [other]: ['./one'] })).toEqual(['no-import-cycle']);
  });

  it.each([
    ['apps/vcs/src/http/a.ts', 'apps/vcs/src/servers/b.ts', 'vcs-imports-downward'],
    ['apps/vcs/src/servers/a.ts', 'apps/vcs/src/b.ts', 'vcs-imports-downward'],
    ['apps/hooks/src/payloads/a.ts', 'apps/hooks/src/queue/b.ts', 'hooks-imports-downward'],
    ['apps/hooks/src/queue/a.ts', 'apps/hooks/src/modules/x/b.ts', 'hooks-imports-downward'],
    ['apps/hooks/src/queue/a.ts', 'apps/hooks/src/resources.ts', 'hooks-imports-downward'],
    ['apps/hooks/src/modules/x/a.ts', 'apps/hooks/src/tasks/b.ts', 'hooks-imports-downward'],
    ['apps/hooks/src/modules/x/a.ts', 'apps/hooks/src/modules/y/b.ts', 'hook-modules-alone'],
    ['apps/hooks/src/tasks/a.ts', 'apps/hooks/src/b.ts', 'hooks-imports-downward'],
  ])('is not from %s to %s', (from, to, rule) => {
    const path = relative(dirname(from), to).replace(/\.ts$/, '');
    expect(broken({ [to]: [], [from]: [path.startsWith('.') ? path : `./${path}`] })).toEqual([
      rule,
    ]);
  });

  it('is downward', () => {
    const files = {
      'apps/hooks/src/queue/a.ts': [],
      'apps/hooks/src/modules/x/b.ts': ['../../queue/a'],
      'apps/hooks/src/hook-modules.ts': ['./modules/x/b'],
      'apps/hooks/src/tasks/c.ts': ['../hook-modules', '../modules/x/b'],
      'apps/hooks/src/queue/a.spec.ts': ['../tasks/c'],
    };
    expect(broken(files)).toEqual([]);
  });
});
