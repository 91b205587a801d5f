import { type DeadlineContext, abortable, withTimeout } from '@cds/network';
import { bulkhead } from 'cockatiel';

type Work = (ctx: DeadlineContext) => Promise<void>;

/** Queues work in the background, bounded in number, time and memory, that may be dropped. */
export function createBackgroundWork(options: {
  /** How much is done at the same time. */
  atOnce: number;
  /** How much may wait; further work is dropped. */
  waiting: number;
  /** Milliseconds that one piece of work may take. */
  maxMs: number;
  onError(error: unknown): void;
}) {
  const closing = new AbortController();
  const gate = bulkhead(options.atOnce, options.waiting);
  // The bulkhead frees a slot before it takes the next piece from its queue: its own count is late.
  let unfinished = 0;

  async function run(work: Work): Promise<void> {
    if (closing.signal.aborted) return;
    const process = { signal: closing.signal, deadline: Infinity };
    const late = () => new Error('background work was not done in time, or the service ends');
    try {
      await withTimeout(process, options.maxMs, (ctx) => abortable(work(ctx), ctx.signal, late));
    } catch (error) {
      options.onError(error);
    }
  }

  return {
    /** @returns false when the work was dropped */
    add(work: Work): boolean {
      if (closing.signal.aborted || unfinished === options.atOnce + options.waiting) return false;
      unfinished++;
      void gate.execute(() => run(work)).finally(() => unfinished--);
      return true;
    },
    /** Drops waiting work and aborts running work, without waiting for either. */
    close: () => closing.abort(),
  };
}
