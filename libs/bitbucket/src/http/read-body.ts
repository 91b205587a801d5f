import type { Readable } from 'node:stream';

export interface BoundedBody {
  body: Buffer;
  /** True when there was more than `maxBytes`; the rest was not read. */
  truncated: boolean;
}

/**
 * Reads at most `maxBytes` of a stream, then drops it. Rejects when the stream breaks or `signal`
 * is aborted.
 */
export async function readBody(
  stream: Readable,
  maxBytes: number,
  signal: AbortSignal,
): Promise<BoundedBody> {
  const stop = () => stream.destroy(new Error('aborted'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) break;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return { body: Buffer.concat(chunks).subarray(0, maxBytes), truncated: size > maxBytes };
}
