import { closeSync, openSync, readSync } from 'node:fs';

const PIECE = 64 * 1024;

/**
 * Returns the bytes of a file, undefined where there are more than `max`. It does not ask the file
 * system for the size: a pipe and `/dev/zero` have none, and the latter has no end either.
 */
export function readBounded(file: string, max: number): Buffer | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let size = 0; size <= max;) {
      const piece = Buffer.alloc(PIECE);
      const read = readSync(descriptor, piece);
      if (read === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, read));
      size += read;
    }
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

const WHY_UNREADABLE: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
};

/** Why a file could not be read, by the error of doing so. */
export function whyUnreadable(error: unknown): string {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return WHY_UNREADABLE[code] ?? code;
}
