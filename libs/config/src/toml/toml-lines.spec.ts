import fc from 'fast-check';
import { stringify } from 'smol-toml';
import { checkConfigText } from '../index';
import { indexLines } from './toml-lines';

describe('indexLines', () => {
  it('finds keys behind headers, dots, quotes and in inline tables, and none in texts', () => {
    const lineOf = indexLines(`# [not.a.table]
a.b = 1
"quoted.key" = "x" # c = 2
text = """
[no.table]
key = 1
\\"""
"""
literal = '''
also = 'none' '''
list = [
  1, # with = "comment"
  { inner = 3 }, ["]", '}'],
]
[t . "u v" . w]
point = { x = 1, y.z = { deep = "}" } }
multi = {
  one = 1,
  two = 2,
}
  [t.next]
    last = 2026-01-01T00:00:00Z
[[array.of]]
name = 1
`);

    expect(lineOf(['a', 'b'])).toBe(2);
    expect(lineOf(['quoted.key'])).toBe(3);
    expect(lineOf(['text'])).toBe(4);
    expect(lineOf(['no'])).toBeUndefined();
    expect(lineOf(['key'])).toBeUndefined();
    expect(lineOf(['also'])).toBeUndefined();
    expect(lineOf(['literal'])).toBe(9);
    expect(lineOf(['list'])).toBe(11);
    expect(lineOf(['t', 'u v', 'w'])).toBe(15);
    expect(lineOf(['t', 'u v', 'w', 'point', 'y', 'z', 'deep'])).toBe(16);
    expect(lineOf(['t', 'u v', 'w', 'multi', 'two'])).toBe(19);
    expect(lineOf(['t', 'next', 'last'])).toBe(22);
    expect(lineOf(['array', 'of', 'name'])).toBe(24);
  });

  it('takes no array for a header, and no text or comment for a key', () => {
    const lineOf = indexLines(`\uFEFF[t]
nested = [
[["a"], ["b"]],
  [ "c" ],
  { x = 1 }, { y = [{ z = "k = 1" }] },
]
after = 1 # comment = 1\u2028hidden = 1
bare = 1979-05-27 07:32:00
text = """"quoted" = 1"""
[[t.list]]
'' = {a=1,b=[2],c=3}
"e\\u0041\\"" = { }
`);

    expect(lineOf(['t'])).toBe(1);
    expect(lineOf(['t', 'nested', 'x'])).toBe(5);
    expect(lineOf(['t', 'nested', 'y', 'z'])).toBe(5);
    expect(lineOf(['t', 'after'])).toBe(7);
    expect(lineOf(['t', 'text'])).toBe(9);
    expect(lineOf(['t', 'list', '', 'c'])).toBe(11);
    expect(lineOf(['t', 'list', 'c'])).toBeUndefined();
    expect(lineOf(['t', 'list', 'eA"'])).toBe(12);
    for (const none of ['k', 'comment', 'hidden', 'quoted', 'a', 'b', 'c'])
      expect([none, lineOf(['t', none]), lineOf([none])]).toEqual([none, undefined, undefined]);
  });

  it('finds every key of any document', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.double({ noNaN: true }));
    const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__');
    const table = fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value)), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(table, (document) => {
        const text = stringify(document);
        const lineOf = indexLines(text);
        for (const [name, child] of Object.entries(document)) {
          if (typeof child !== 'object') expect(lineOf([name])).toBeGreaterThan(0);
          else
            for (const inner of Object.keys(child))
              expect(lineOf([name, inner])).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('ends on any text', () => {
    const pieces = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '"""',
      '=',
      ',',
      '.',
      'a',
      '#',
      '\n',
      '\\',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        indexLines(parts.join(''));
        expect(Array.isArray(checkConfigText(parts.join('')))).toBe(true);
      }),
    );
  });

  it('takes what is deep, long or odd without failing', () => {
    const dots = 'a.'.repeat(20_000);
    const long = `name = "${'y'.repeat(1_000_000)}"\ntext = '''${'z\n'.repeat(300_000)}'''`;
    const odd = '__proto__ = 1\nconstructor.prototype.x = 2\ntoString = "x"';

    expect(checkConfigText(`[vcs]\n${dots}b = 1`)).toContainEqual(
      expect.objectContaining({ key: 'vcs.a', line: 2, level: 'warning' }),
    );
    expect(checkConfigText(`[vcs]\n${long}`).map(({ key }) => key)).toContain('vcs.text');
    expect(checkConfigText(`[vcs]\n${odd}\n[__proto__]\nname = "x"`).map(({ key }) => key)).toEqual(
      expect.arrayContaining(['vcs.__proto__', 'vcs.constructor', 'vcs.toString', 'vcs.name']),
    );
    expect({}).not.toHaveProperty('name');
  });
});
