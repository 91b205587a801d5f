import * as z from 'zod';
import { PRINTED_SECTIONS } from './index';
import { section } from './section';
import { integer, text } from './value-types';

describe('section', () => {
  it('derives what is printed, required and used by default from the schema', () => {
    const { keys } = section('a.b', 'A table.', {
      toFillIn: text('No default.', { placeholder: 'xxxxx' }),
      seconds: integer(0)('Renamed.', { name: 'pause' }).prefault(5),
      url: text('Not empty.', { notEmpty: true }).default('u'),
    });

    expect(keys).toMatchObject([
      { name: 'toFillIn', property: 'toFillIn', default: '', required: true, placeholder: 'xxxxx' },
      { name: 'pause', property: 'seconds', default: 5, fallback: 5, required: false },
      { name: 'url', default: 'u', required: true, comment: 'Not empty.' },
    ]);
  });

  it('refuses a key without a comment, and metadata that nothing reads', () => {
    expect(() => section('a', 'A table.', { key: z.string().default('') })).toThrow('description');
    // @ts-expect-error -- the compiler refuses it
    text('A text.', { exmaple: 'x' });
  });

  it('has a type for every key that is read', () => {
    const keys = Object.values(PRINTED_SECTIONS).flatMap((all) => all.flatMap((each) => each.keys));

    expect(keys.length).toBeGreaterThan(60);
    for (const { name, type, unused } of keys)
      expect([name, type.expected !== 'anything']).toEqual([name, !unused]);
  });
});
