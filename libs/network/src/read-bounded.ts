import type { Readable } from 'node:stream';

/** The beginning of a body. */
export interface BoundedBody {
  chunks: Buffer[];
  /** Whether there was more than `maxBytes`, of which the rest was not read. */
  isTruncated: boolean;
}

/**
 * Reads a stream up to the chunk that exceeds `maxBytes`, then destroys it, which closes the
 * connection of an HTTP answer. By events, which cost less than iterating.
 * @throws Error when the stream breaks, or `signal` is aborted
 */
export function readBounded(
  stream: Readable,
  maxBytes: number,
  signal: AbortSignal,
): Promise<BoundedBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const abort = (): void => void stream.destroy(new Error('aborted'));
    const end = (): void => {
      signal.removeEventListener('abort', abort);
      resolve({ chunks, isTruncated: size > maxBytes });
    };
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', abort);
      reject(error);
    };
    stream.on('data', (chunk: Buffer) => {
      if (size > maxBytes) return;
      size += chunk.length;
      chunks.push(chunk);
      if (size <= maxBytes) return;
      end();
      stream.destroy();
    });
    stream.once('end', end);
    // Also after the promise is settled: a stream that is destroyed may report an error.
    stream.on('error', fail);
    stream.once('close', () => fail(new Error('the connection was closed before the end')));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
