import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { read, repositoryFiles, root } from './repository.fixture';

const files = repositoryFiles();
const documents = files.filter((file) => file.endsWith('.md'));
/** Those whose paths are meant from the root of the repository. */
const guides = documents.filter((file) => !file.includes('/') || file.startsWith('docs/'));

const withoutFences = (text: string) => text.replace(/^( *)(```|~~~)[\s\S]*?^\1\2$/gm, '');

/** The anchors that GitHub gives the headings of a document. */
function anchors(text: string): Set<string> {
  const seen = new Map<string, number>();
  const all = new Set<string>();
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    all.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return all;
}

/** Where the relative links of a document lead that lead nowhere. */
function brokenLinks(file: string, text: string): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, '');
  const targets = [
    ...prose.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)/g),
    ...prose.matchAll(/^ *\[[^\]]+\]: +(\S+)$/gm),
  ].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^(https?:|mailto:)/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const linked = normalize(join(dirname(file), decodeURI(path)));
      if (path !== '' && !existsSync(join(root, linked))) return true;
      return anchor !== undefined && !anchors(path === '' ? text : read(linked)).has(anchor);
    });
}

const FOLDERS = /^(\.ci|\.github|apps|deploy|docs|libs|tools)\//;
const ROOT_FILE = /^[\w.-]+\.(md|json|yml|mjs|cjs)$/;
const quoted = (text: string) =>
  [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map(([, quote = '']) => quote);

/** Whether there is such a file or folder; `*` stands for any part of a name. */
function isThere(path: string): boolean {
  const name = path
    .replace(/\/$/, '')
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*');
  const pattern = new RegExp(`^${name}(/|$)`);
  return files.some((file) => pattern.test(file));
}

/** What stands in backticks, looks like a path of this repository, and is none. */
function missingPaths(text: string): string[] {
  return quoted(text)
    .filter((quote) => FOLDERS.test(quote) && !/[\s…{}]/.test(quote))
    .map((quote) => quote.replace(/[:#].*$/, ''))
    .filter((path) => !isThere(path));
}

/** The targets of every project, by its name. */
const projects = new Map(
  files
    .filter((file) => /(^|\/)project\.json$/.test(file))
    .map((file) => JSON.parse(read(file)) as { name: string; targets: Record<string, unknown> })
    .map(({ name, targets }) => [name, targets]),
);

/** Commands of npm and Nx that a document names and that there are not. */
function missingCommands(text: string): string[] {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [
    ...text.matchAll(/\bnpm (start|test)\b/g),
    ...text.matchAll(/\bnpm run ([\w:-]+)/g),
  ].map(([, name = '']) => name);
  const targets = [...text.matchAll(/\bnx run ([\w-]+):([\w-]+)/g)];
  return [
    ...named.filter((name) => !(name in scripts)),
    ...targets
      .filter(([, project = '', target = '']) => projects.get(project)?.[target] === undefined)
      .map(([all]) => all),
  ];
}

describe.each(documents)('%s', (file) => {
  it('links to what there is', () => {
    expect(brokenLinks(file, read(file))).toEqual([]);
  });

  it('names commands that there are', () => {
    expect(missingCommands(read(file))).toEqual([]);
  });
});

describe.each(guides)('%s', (file) => {
  it('names files that there are', () => {
    expect(missingPaths(read(file))).toEqual([]);
  });
});

it('CONTRIBUTING.md names the commands of package.json, each one', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const text = read('CONTRIBUTING.md');

  for (const name of Object.keys(scripts))
    expect(text).toContain(['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`);
});

it('CONTRIBUTING.md names files of the root that there are', () => {
  for (const text of quoted(read('CONTRIBUTING.md')).filter((each) => ROOT_FILE.test(each)))
    expect([text, existsSync(join(root, text))]).toEqual([text, true]);
});

it('the index of decisions has every record, with its title', () => {
  const index = read('docs/adr/README.md');

  expect(records.length).toBeGreaterThan(0);
  for (const record of records) {
    const [, number, title] = /^# (\d+)\. (.+)$/m.exec(read(record)) ?? [];
    const name = record.slice('docs/adr/'.length);
    expect(name).toMatch(new RegExp(`^${number?.padStart(4, '0')}-`));
    expect(index.replace(/\n +/g, ' ')).toContain(`- [${number}. ${title}](${name})`);
  }
});

const words = (text: string) => text.split(/\s+/).filter((each) => each !== '').length;
const records = documents.filter((file) => /^docs\/adr\/\d{4}-/.test(file));

it.each(records)('%s takes at most 250 words', (record) => {
  expect(words(read(record))).toBeLessThanOrEqual(250);
});

const MAX_WORDS_OF_A_CELL = 30;

/** Cells of tables that hold a paragraph, with where they begin. */
const longCells = (text: string) =>
  [...withoutFences(text).matchAll(/^ *\|(.*)\| *$/gm)]
    .flatMap(([, row = '']) => row.split(/(?<!\\)\|/))
    .filter((cell) => words(cell) > MAX_WORDS_OF_A_CELL)
    .map((cell) => cell.trim().slice(0, 60));

it.each(documents)('%s has no paragraph in a table', (file) => {
  expect(longCells(read(file))).toEqual([]);
});

it('sees a paragraph in a table', () => {
  const cell = (n: number) => 'word '.repeat(n).trim();
  expect(longCells(`| ${cell(30)} | ${cell(31)} |\n\n${cell(31)}`)).toEqual([
    cell(31).slice(0, 60),
  ]);
});

/** Folders and files of the sources that the README of a service names, and that are not there. */
function missingSources(file: string, text: string): string[] {
  const here = dirname(file);
  return [...text.matchAll(/`((?:[\w.-]+\/)*[\w-]+(?:\/|\.(?:lua\.)?ts))`/g)]
    .map(([, path = '']) => path)
    .filter((path) => !/^(apps|libs|tools|dist)\//.test(path))
    .filter(
      (path) =>
        !files.some(
          (each) =>
            each.startsWith(`${here}/src/${path}`) ||
            (!path.endsWith('/') && each.endsWith(`/${path}`)),
        ),
    );
}

it.each(['apps/hooks/README.md', 'apps/vcs/README.md'])(
  '%s names sources that there are',
  (file) => {
    expect(missingSources(file, read(file))).toEqual([]);
  },
);

it('sees a source that is gone', () => {
  const text = '`queue/`, `gone/`, `main.ts`, `queue/gone.ts`, `bitbucket-errors.ts`';
  expect(missingSources('apps/hooks/README.md', text)).toEqual(['gone/', 'queue/gone.ts']);
});

/** What the first cells of the tables below a heading quote, without what varies. */
const firstCells = (text: string, heading: string) =>
  [...(text.split(heading)[1] ?? '').matchAll(/^\| `([^`]+?)(?: ?…)?` /gm)].map(
    ([, quote = '']) => quote,
  );

it('guides name log messages, and lines of /mon/status, that there are', () => {
  const source = files
    .filter((file) => /^(apps|libs)\/.*(?<!\.spec|\.fixture)\.ts$/.test(file))
    .map(read)
    .join('\n');
  const messages = firstCells(read('docs/monitoring.md'), '## Logs');
  const [guide = ''] = read('docs/operator-guide.md').split('\n## Run containers');
  const named = [...messages, ...firstCells(guide, '**Lines of')];

  expect(messages.length).toBeGreaterThan(5);
  expect(named.length).toBeGreaterThan(messages.length + 4);
  for (const name of named) expect([name, source.includes(name)]).toEqual([name, true]);
});

it('sees what is broken', () => {
  const text = [
    '# `hooks`: a *B*',
    '## One & two',
    '## One & two',
    '[a](#hooks-a-b) [b](#one--two-1) [c](#one--two-2) [d](promises.md#none) [e](none.md) [f](../README.md)',
    '[g]: none-either.md',
    '`[h](in-code.md)` `docs/none.md` `docs/*.md` `apps/*/none.ts` `apps/vcs/src` npm run none, npx nx run vcs:none',
    '```\n[i](in-a-fence.md)\n```',
  ].join('\n\n');

  expect(brokenLinks('docs/probe.md', text)).toEqual([
    '#one--two-2',
    'promises.md#none',
    'none.md',
    'none-either.md',
  ]);
  expect(missingPaths(text)).toEqual(['docs/none.md', 'apps/*/none.ts']);
  expect(missingCommands(text)).toEqual(['none', 'nx run vcs:none']);
});

it('the README begins with the commands that try and test a checkout', () => {
  const [, first = ''] = /^```sh\n([^]*?)```/m.exec(read('README.md')) ?? [];
  expect(first).toMatch(/^npm start\b.*\nnpm test\b.*\n$/);
});
