import { isUtf8 } from 'node:buffer';
import { statSync } from 'node:fs';
import { readBounded } from '../read-bounded';
import { isMissing } from '../values/placeholder';
import { withoutLineBreak } from '../values/text-problems';

/** The longest tokens have some kilobytes. */
const MAX_SECRET_BYTES = 64 * 1024;

const WHY_UNREADABLE: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'names a file that does not exist: mount it there, or correct the path',
  ENOTDIR: 'names a file below something that is no folder: correct the path',
  EACCES: 'names a file that this user may not read: give it the right to',
  EPERM: 'names a file that this user may not read: give it the right to',
  ELOOP: 'names a link that leads to itself: correct the path',
  ENAMETOOLONG: 'has a path that is too long: it has to be the path of a file, not the secret',
};

/**
 * Reads a secret from a file, as Docker and Kubernetes mount them: without the line break at its
 * end. The problem quotes neither the path, which may be a secret by mistake, nor the contents.
 */
export function readSecretFile(file: string): { value: string } | { problem: string } {
  try {
    const stats = statSync(file);
    if (stats.isDirectory())
      return { problem: 'names a folder: name the file of the secret in it' };
    // A pipe or a device may have no end, or no writer.
    if (!stats.isFile()) return { problem: 'names something that is no regular file' };
    const bytes = readBounded(file, MAX_SECRET_BYTES);
    if (!bytes)
      return { problem: `names a file of more than ${MAX_SECRET_BYTES} bytes, which is no secret` };
    if (!isUtf8(bytes))
      return { problem: 'names a file that is not UTF-8: save it in that encoding' };
    const value = withoutLineBreak(bytes.toString('utf8'));
    if (value.trim() === '')
      return { problem: 'names a file that is empty: write the secret to it' };
    if (isMissing(value))
      return { problem: 'names a file with a placeholder: write the secret to it' };
    return { value };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return { problem: WHY_UNREADABLE[code] ?? `names a file that cannot be read (${code})` };
  }
}
