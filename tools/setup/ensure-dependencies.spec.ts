import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { areInstalled } from './ensure-dependencies.mjs';
import { root } from './repository.fixture';

const LOCKED = {
  '': { name: 'project' },
  'node_modules/a': { version: '1.0.0' },
  'node_modules/of-another-platform': { version: '1.0.0', optional: true },
};

describe('the npm packages of the lockfile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cds-packages-'));
    mkdirSync(join(folder, 'node_modules'));
    write('package-lock.json', LOCKED);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (file: string, packages: object) =>
    writeFileSync(join(folder, file), JSON.stringify({ packages }));

  it('are installed here', () => {
    expect(areInstalled(root)).toBe(true);
  });

  it('are missing where npm has installed nothing, or was interrupted', () => {
    expect(areInstalled(folder)).toBe(false);
  });

  it.each([
    [true, 'all but one for another platform', { 'node_modules/a': { version: '1.0.0' } }],
    [false, 'another version', { 'node_modules/a': { version: '1.0.1' } }],
    [false, 'less', {}],
    [
      false,
      'more',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
    ],
  ])('are these: %s, where npm has installed %s', (isSo, _case, installed) => {
    write('node_modules/.package-lock.json', installed);
    expect(areInstalled(folder)).toBe(isSo);
  });
});
