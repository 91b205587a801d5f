import { Transform } from 'node:stream';

/** Set by a parent process on a terminal, which reads the output of its child through a pipe. */
export const TERMINAL = 'CDS_BITBUCKET_TERMINAL';

/** Longer lines are cut in pieces, so that a child without line ends does not fill the memory. */
const MAX_LINE_LENGTH = 1024 * 1024;

/** Puts `prefix` before every line that passes. The last line gets its end if it has none. */
export function prefixLines(prefix: string): Transform {
  let rest = '';
  return new Transform({
    decodeStrings: false,
    encoding: 'utf8',
    transform(chunk: string | Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_LENGTH) {
        lines.push(rest);
        rest = '';
      }
      done(null, lines.map((line) => `${prefix}${line}\n`).join(''));
    },
    flush(done) {
      done(null, rest === '' ? '' : `${prefix}${rest}\n`);
    },
  });
}
