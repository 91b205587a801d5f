import { closeSync, openSync, readSync } from 'node:fs';

const PIECE = 64 * 1024;

/**
 * The bytes of a file of at most `most` bytes, undefined when there are more. Not by the size that the file system tells: a pipe and
 * `/dev/zero` have none, and the latter no end either.
 */
export function readBounded(file: string, most: number): Buffer | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let size = 0; size <= most;) {
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
