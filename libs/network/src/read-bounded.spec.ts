import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { readBounded } from './read-bounded';

const { signal } = new AbortController();
const chunks = (...texts: string[]) => Readable.from(texts.map((text) => Buffer.from(text)));

describe('a bounded body', () => {
  it('is read whole up to its bound', async () => {
    const read = await readBounded(chunks('abc', 'def'), 6, signal);
    expect(Buffer.concat(read.chunks).toString()).toBe('abcdef');
    expect(read.isTruncated).toBe(false);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends with the chunk that exceeds the bound, and the rest is not read', async () => {
    let read = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(++read && 100);
      })(),
    );
    expect(await readBounded(endless, 150, signal)).toMatchObject({ isTruncated: true });
    expect(endless.destroyed).toBe(true);
    expect(read).toBeLessThan(100);
  });

  it('rejects when the stream breaks, closes early, or the signal is aborted', async () => {
    const broken = new Readable({ read: () => undefined });
    const reading = readBounded(broken, 10, signal);
    broken.destroy(new Error('reset'));
    await expect(reading).rejects.toThrow('reset');

    const closed = new Readable({ read: () => undefined });
    const waiting = readBounded(closed, 10, signal);
    closed.destroy();
    await expect(waiting).rejects.toThrow('closed before the end');

    const controller = new AbortController();
    const stalled = new Readable({ read: () => undefined });
    const stopped = readBounded(stalled, 10, controller.signal);
    controller.abort();
    await expect(stopped).rejects.toThrow('aborted');
    await expect(readBounded(chunks('a'), 10, controller.signal)).rejects.toThrow('aborted');
  });
});
