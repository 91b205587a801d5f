import fc from 'fast-check';
import { fuzzRuns } from '@cds/testing';
import { onOneLine, showHidden, showHiddenOnceParsed } from './index';

const HIDDEN = [
  ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
  ['a carriage return', 'a\rb', 'a\\u000db'],
  ['a backspace', 'a\bb', 'a\\u0008b'],
  ['delete', 'a\u007fb', 'a\\u007fb'],
  ['the introducer of C1', '\u009b2J', '\\u009b2J'],
  ['an override', 'main\u202egpj', 'main\\u202egpj'],
  ['an isolate', 'a\u2066b\u2069', 'a\\u2066b\\u2069'],
  ['a mark', 'a\u200fb\u200ec\u061c', 'a\\u200fb\\u200ec\\u061c'],
  ['a line separator', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ['what has no width', 'ma\u200bin\ufeff\u2060', 'ma\\u200bin\\ufeff\\u2060'],
  ['a tag', 'a\u{e0041}', 'a\\udb40\\udc41'],
] as const;

describe('what is hidden in a text', () => {
  it.each(HIDDEN)('is shown: %s', (_, text, shown) => {
    expect(showHidden(text)).toBe(shown);
    // In JSON it is the same value.
    const json = JSON.stringify({ text });
    expect(JSON.parse(showHidden(json))).toEqual({ text });
    expect(showHidden(showHidden(json))).toBe(showHidden(json));
    // And read from JSON it is shown, too, but for nothing that was shown before.
    expect(JSON.parse(showHiddenOnceParsed(json)).text).toBe(
      JSON.parse(`"${shown.replace(/\\/g, '\\\\')}"`),
    );
  });

  it.each(['main', 'a\nb\tc', 'Grüße, 世界 👋🏽', 'שלום', 'a\\u202eb', 'C:\\new\\report', '"\\\\"'])(
    'is nothing in %j',
    (text) => {
      expect(showHidden(text)).toBe(text);
      expect(JSON.parse(showHiddenOnceParsed(JSON.stringify(text)))).toBe(text);
    },
  );

  it('is a space in the cell of a table', () => {
    expect(onOneLine('first line\n\r\u001b[2Jsecond\u009bline\u202e')).toBe(
      'first line [2Jsecond line',
    );
  });

  it('is shown in any text, which is JSON still where it was', () => {
    const characters = fc.constantFrom(...'ab\\"/\n\tu0', ...HIDDEN.map(([, text]) => text));
    const texts = fc.array(characters, { maxLength: 30 }).map((all) => all.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        const json = JSON.stringify([text]);
        expect(JSON.parse(showHidden(json))).toEqual([text]);
        expect(JSON.parse(showHiddenOnceParsed(json))).toEqual([showHidden(text)]);
      }),
      fuzzRuns(300),
    );
  });
});
