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
  it('is the page that the matrix writes when every fault has passed, but for its figure', () => {
    const [, figure = ''] = /came (\d+\.\d) s after/.exec(matrix) ?? [];
    const passed = FAULTS.map(({ name, what, checks = '', doubles }) => ({
      ...{ name, what, checks, seed: 1, tookMs: 0, violations: [], folder: undefined },
      ...{ accepted: 0, runs: 0, cleanups: 0, doubles: 0, drainedMs: 0, peakRssMb: 0 },
      doublesAllowed: doubles?.most ?? 0,
      doublesBecause: doubles?.because ?? '',
      firstRunMs: Number(figure) * 1_000,
    }));
    expect(matrix).toBe(markdownPage(passed));
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
