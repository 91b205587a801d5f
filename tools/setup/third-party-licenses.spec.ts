import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ALLOWED_LICENSES,
  packageFolders,
  thirdPartyLicenses,
} from '../build/third-party-licenses.mjs';

const TEXT = `Copyright (c) 2026 Somebody\n\n${'Permission is hereby granted. '.repeat(20)}`;

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'packages-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Writes a package. Returns its folder. */
function write(
  name: string,
  license: unknown,
  files: Record<string, string>,
  version = '1.2.3',
): string {
  const folder = mkdtempSync(join(root, 'node_modules-'));
  const manifest = JSON.stringify({ name, version, license });
  for (const [file, text] of Object.entries({ ...files, 'package.json': manifest }))
    writeFileSync(join(folder, file), text);
  return folder;
}

it('says of each package its version, its licence, and every text that comes with it', () => {
  const text = thirdPartyLicenses(
    [
      write('b', 'Apache-2.0', { LICENSE: TEXT, NOTICE: 'This has parts of C.' }),
      write('@a/a', 'MIT', { 'license.md': TEXT, 'README.md': 'A.' }),
    ],
    [
      'Bundled license information:\n\nb/d.js:\n  /*! of D */\n',
      'Bundled license information:\n\nb/c.js:\n  /*! of C\n\n */\n\nb/d.js:\n  /*! of D */\n',
    ],
  );

  expect(text.indexOf('@a/a 1.2.3 (MIT)\n\nCopyright (c) 2026')).toBeGreaterThan(0);
  expect(text.indexOf('b 1.2.3 (Apache-2.0)')).toBeGreaterThan(text.indexOf('@a/a 1.2.3'));
  expect(text).toContain('This has parts of C.');
  expect(text.split('Notices in their files\n\n')[1]).toBe(
    'b/c.js:\n  /*! of C\n\n */\n\nb/d.js:\n  /*! of D */\n',
  );
});

it('finds the text in a README where there is no file of it', () => {
  for (const heading of ['## License\n', 'License\n-------\n', '# Licence\n']) {
    const text = thirdPartyLicenses(
      [write('a', 'MIT', { 'README.md': `# A\n\nHas a license.\n\n${heading}\n${TEXT}` })],
      [],
    );
    expect(text).toContain('(MIT)\n\nCopyright (c) 2026');
  }
});

it('names a package that is installed twice once, and both of its versions', () => {
  const twice = [write('a', 'MIT', { LICENSE: TEXT }), write('a', 'MIT', { LICENSE: TEXT })];
  const other = write('a', 'MIT', { COPYING: TEXT }, '1.2.4');

  expect(thirdPartyLicenses(twice, []).match(/^a 1\.2\.3/gm)).toHaveLength(1);
  expect(thirdPartyLicenses([...twice, other], []).match(/^a 1\.2\.[34]/gm)).toHaveLength(2);
});

it.each([
  'GPL-3.0-only',
  'AGPL-3.0',
  'SSPL-1.0',
  'UNLICENSED',
  'SEE LICENSE IN LICENSE',
  '(MIT OR GPL-2.0)',
  'mit',
  '',
  undefined,
  null,
  ['MIT'],
  { type: 'MIT' },
])('refuses a package under %j', (license) => {
  const folders = [write('fine', 'MIT', { LICENSE: TEXT }), write('a', license, { LICENSE: TEXT })];

  expect(() => thirdPartyLicenses(folders, [])).toThrow(
    /^a 1\.2\.3: its licence .* is not on the list of those allowed \(tools\/build\/third-party-licenses\.mjs\)$/,
  );
});

it.each([
  ['nothing but code', {}],
  ['an empty file', { LICENSE: '\n' }],
  ['a file with a name', { LICENSE: 'MIT' }],
  ['a README with a link', { 'README.md': '# A\n\n## License\n\n[MIT](https://example.com)\n' }],
  ['a README about something else', { 'README.md': `# A\n\n${TEXT}` }],
])('refuses a package with %s in place of a text', (_what, files) => {
  expect(() => thirdPartyLicenses([write('a', 'MIT', files)], [])).toThrow(
    'a 1.2.3: there is no text of its licence',
  );
});

it('names all that is wrong at once', () => {
  const folders = [write('a', 'GPL-3.0-only', {}), write('b', 'MIT', {})];

  expect(() => thirdPartyLicenses(folders, [])).toThrow(/a 1.*licence.*\na 1.*text.*\nb 1.*text/);
});

it('sees each package that something was taken of, also below another one', () => {
  const inputs = {
    'node_modules/a/index.js': {},
    'node_modules/a/lib/more.js': {},
    'node_modules/@b/b/index.js': {},
    'node_modules/@b/b/node_modules/c/c.js': {},
    'libs/wire/src/index.ts': {},
  };

  expect(packageFolders({ outputs: { 'main.js': { inputs }, 'other.js': { inputs } } })).toEqual([
    'node_modules/a',
    'node_modules/@b/b',
    'node_modules/@b/b/node_modules/c',
  ]);
});

it('allows licences that ask for no more than their text, and no copyleft', () => {
  expect(ALLOWED_LICENSES).toContain('MIT');
  expect(ALLOWED_LICENSES.filter((each) => /GPL|SSPL|MPL|EPL|CC-/.test(each))).toEqual([]);
});
