import { getEventListeners } from 'node:events';
import { abortable, withTimeout } from './with-timeout';

const late = () => new Error('late');
const never = new Promise<never>(() => undefined);
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

describe('the context of withTimeout', () => {
  it('ends after its time, and says when', async () => {
    const before = Date.now();
    const deadline = await withTimeout(undefined, 20, async (ctx) => {
      await aborted(ctx.signal);
      return ctx.deadline;
    });
    expect(deadline).toBeGreaterThanOrEqual(before + 20);
  });

  it('ends with the outer one, whose deadline holds when it is sooner', async () => {
    const outer = new AbortController();
    const work = withTimeout({ signal: outer.signal, deadline: 7 }, 3_600_000, async (ctx) => {
      await aborted(ctx.signal);
      return ctx.deadline;
    });
    outer.abort();
    expect(await work).toBe(7);
    const ended = { signal: outer.signal, deadline: 7 };
    expect(await withTimeout(ended, 3_600_000, async ({ signal }) => signal.aborted)).toBe(true);
  });

  it('leaves no listener on the outer signal, whatever comes of the work', async () => {
    const { signal } = new AbortController();
    await withTimeout({ signal }, 3_600_000, async () => undefined);
    await withTimeout({ signal }, 3_600_000, () => Promise.reject(late())).catch(() => undefined);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('an abortable wait', () => {
  it('ends with the work, or with the reason when the signal was first', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    expect(await abortable(Promise.resolve(1), signal, late)).toBe(1);
    await expect(abortable(Promise.reject(new Error('bad')), signal, late)).rejects.toThrow('bad');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const waiting = abortable(never, signal, late);
    controller.abort();
    await expect(waiting).rejects.toThrow('late');
    await expect(abortable(never, signal, late)).rejects.toThrow('late');
    // Its rejection would end the process where nobody hears it.
    await expect(abortable(Promise.reject(new Error('bad')), signal, late)).rejects.toThrow('late');
  });
});
