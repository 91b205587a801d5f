import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { prefixLines } from './prefix-lines';
import { createPauses } from './restart-pauses';

describe('createPauses', () => {
  it('doubles them up to the longest, and begins anew after a healthy while', () => {
    const nextPause = createPauses({ first: 1_000, longest: 5_000, healthyAfter: 60_000 });

    expect([0, 10, 59_999, 0, 0].map((ran) => nextPause(ran))).toEqual([
      1_000, 2_000, 4_000, 5_000, 5_000,
    ]);
    expect([60_000, 1, 90_000].map((ran) => nextPause(ran))).toEqual([1_000, 2_000, 1_000]);
  });
});

describe('prefixLines', () => {
  it('keeps lines whole, whatever the pieces, and ends the last one', async () => {
    const input = new PassThrough({ encoding: 'utf8' });
    const output = text(input.pipe(prefixLines('a | ')));
    for (const piece of ['one\ntw', 'o\n\nthr', 'ee'])
      if (!input.write(piece)) await once(input, 'drain');
    input.end();

    expect(await output).toBe('a | one\na | two\na | \na | three\n');
  });

  it('does not keep a line without end', async () => {
    const input = new PassThrough({ encoding: 'utf8' });
    const output = text(input.pipe(prefixLines('> ')));
    input.end('x'.repeat(3_000_000));

    expect((await output).replaceAll(/> |\n/g, '')).toHaveLength(3_000_000);
  });
});
