import fc from 'fast-check';
import { fuzzRuns } from '@cds/testing';
import { jsonEntries, OversizedEntry, PAUSE } from './json-entries';

/** The text in pieces of so many bytes. */
function pieces(text: string, size: number): Buffer[] {
  const whole = Buffer.from(text);
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
    whole.subarray(n * size, (n + 1) * size),
  );
}

function read(text: string, size = 7): unknown {
  try {
    return [...jsonEntries(pieces(text, size))].filter((entry) => entry !== PAUSE);
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

  it('leaves out an entry that is too long or has too many values before it is parsed, and goes on', () => {
    const entry = (text: string) => {
      const all = [...jsonEntries(pieces(`[1,${text},{"a":2}]`, 65_536))].filter(
        (e) => e !== PAUSE,
      );
      expect(all).toEqual([1, expect.anything(), { a: 2 }]);
      return all[1];
    };
    const long = 'x'.repeat(1024 * 1024);
    expect(entry(`"${long}"`)).toEqual(new OversizedEntry('it is longer than 1 MiB', undefined));
    expect(entry(`"${long.slice(2)}"`)).toBe(long.slice(2));
    expect(entry(`[${'0,'.repeat(60_000)}0]`)).toBeInstanceOf(OversizedEntry);
    expect(read(`[${'0,'.repeat(60_000)}0]`)).toHaveLength(60_001);
    // What it holds is skipped as text: brackets and quotes of its strings are none.
    expect(entry(`{"a":["${long}]}\\"[{"],"b":{}}`)).toBeInstanceOf(OversizedEntry);
  });

  it.each([
    ['{"id":1,"uuid":"u-1","c":"LONG"}', 'u-1'],
    ['{ "a\\"b" : {"uuid":"no"}, "ref":"uuid", "uuid" : "u-1" , "c":"LONG"}', 'u-1'],
    ['{"a":["uuid","no"],"uuid":7,"b":"no","c":"LONG"}', undefined],
    ['{"uuid":"no\\u0041","c":"LONG"}', undefined],
    ['{"uuid":"\u202eno","c":"LONG"}', undefined],
    ['{"c":"LONG","uuid":"u-1"}', undefined],
    ['["uuid","no","LONG"]', undefined],
  ])('names an entry that is too long by its uuid: %s', (text, uuid) => {
    const list = `[${text.replace('LONG', 'x'.repeat(2 * 1024 * 1024))}]`;
    for (const size of [1_000, 65_536]) {
      const [found] = [...jsonEntries(pieces(list, size))].filter((entry) => entry !== PAUSE);
      expect(found).toMatchObject({ uuid });
    }
  });

  it('refuses a list that has no end in an entry that is too long', () => {
    expect(read(`[1,"${'x'.repeat(2 * 1024 * 1024)}`, 65_536)).toBe('refused');
    expect(read(`[1,{"a":"${'x'.repeat(2 * 1024 * 1024)}"`, 65_536)).toBe('refused');
  });
});
