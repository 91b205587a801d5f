import fc from 'fast-check';
import { fuzzRuns } from '@cds/testing';
import { jsonEntries } from './json-entries';

/** The text in pieces of so many bytes. */
function pieces(text: string, size: number): Buffer[] {
  const whole = Buffer.from(text);
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
    whole.subarray(n * size, (n + 1) * size),
  );
}

function read(text: string, size = 7): unknown {
  try {
    return [...jsonEntries(pieces(text, size))];
  } catch {
    return 'refused';
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) return [];
    return Array.isArray(value) ? value : 'refused';
  } catch {
    return 'refused';
  }
}

describe('jsonEntries', () => {
  it('reads what JSON.parse reads, however it comes in pieces', () => {
    const list = fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 10 });
    fc.assert(
      fc.property(list, fc.nat(3), fc.integer({ min: 1, max: 50 }), (value, indent, size) => {
        const text = JSON.stringify(value, null, indent);
        expect(read(text, size)).toEqual(JSON.parse(text));
      }),
      fuzzRuns(300),
    );
  });

  it('refuses what JSON.parse refuses, and what is no list', () => {
    const word = fc.constantFrom(
      ...['[', ']', '{', '}', ',', ':', '"', '\\', ' ', '\n', '1', 'null', 'a', '"x"', '"k":2'],
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        (words, size) => {
          expect(read(words.join(''), size)).toEqual(parsed(words.join('')));
        },
      ),
      fuzzRuns(5_000),
    );
  });

  it.each([
    ...[
      '',
      ' ',
      '{}',
      '{"a":[1]}',
      '[1]]',
      '[1][2]',
      '[1] x',
      'x [1]',
      '[1,]',
      '[,1]',
      '[1',
      '["]',
    ],
    ...['1', 'nul', '[1}', '{1]', 'null null', 'null[]', '[]null', '[1 2]', '[{]}]', '"[]"'],
  ])('refuses %j', (text) => {
    expect(parsed(text)).toBe('refused');
    expect(read(text)).toBe('refused');
  });

  it('keeps characters whole that two pieces share', () => {
    expect(read('["ä€\u{1f600}\\"]"]', 1)).toEqual(['ä€\u{1f600}"]']);
  });

  it('refuses an entry that is too long or has too many values before it is parsed', () => {
    const isRefused = (text: string) => read(text, 65_536) === 'refused';
    expect(isRefused(`["${'x'.repeat(1024 * 1024)}"]`)).toBe(true);
    expect(isRefused(`["${'x'.repeat(1024 * 1024 - 2)}"]`)).toBe(false);
    expect(isRefused(`[[${'0,'.repeat(60_000)}0]]`)).toBe(true);
    expect(isRefused(`[${'0,'.repeat(60_000)}0]`)).toBe(false);
  });
});
