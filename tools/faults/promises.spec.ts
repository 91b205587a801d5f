import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from './faults';
import { markdownPage } from './matrix/report';

const root = join(__dirname, '..', '..');
const guide = (name: string) => readFileSync(join(root, 'docs', name), 'utf8');
const matrix = guide('fault-matrix.md');
const [, sentences = ''] = guide('promises.md')
  .replace(/\s+/g, ' ')
  .split('## Sentence by sentence');

describe('docs/fault-matrix.md', () => {
  it('carries every fault of the matrix, with what happens and what may come twice', () => {
    const oneLine = (words: string) => words.replace(/\s+/g, ' ').toLowerCase();
    const items = matrix.split('\n- ').slice(1).map(oneLine);
    for (const { name, what, checks, doubles } of FAULTS) {
      const item = items.find((each) => each.startsWith(`\`${name}\` (`));
      expect(item).toContain(`s): ${oneLine(what)}`);
      if (checks) expect(item).toContain(`. ${oneLine(checks)}.`);
      if (doubles) expect(item).toContain(`doubles: ${doubles.most}`);
      if (doubles && doubles.because !== 'one a hook')
        expect(item).toContain(`, ${oneLine(doubles.because)}.`);
    }
    expect(matrix.match(/^- `/gm)).toHaveLength(FAULTS.length);
    expect(matrix).not.toContain('FAILED');
  });

  it('is the page that the matrix writes, but for its figures', () => {
    const [head = ''] = matrix.split('\n- ');
    expect(markdownPage([]).startsWith(head)).toBe(true);
  });
});

describe('docs/promises.md', () => {
  it('names faults that there are', () => {
    const named = [...sentences.matchAll(/`([a-z0-9]+(?:-[a-z0-9]+)+)`/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(20);
    expect(FAULTS.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
  });

  it('names tests that there are', () => {
    const files = [
      ...sentences.matchAll(/`((?:apps|libs|tools)\/[^`]+\.spec\.ts)`((?:: "[^"]+")?)/g),
    ];
    expect(files.length).toBeGreaterThan(10);
    for (const [, file = '', test = ''] of files) {
      expect(existsSync(join(root, file)) ? '' : `${file} is missing`).toBe('');
      const title = test.replace(/^: "|"$/g, '');
      expect(readFileSync(join(root, file), 'utf8')).toContain(title);
    }
  });
});
