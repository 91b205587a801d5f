import { type DeadlineContext, abortable, withTimeout } from '@cds/network';

export interface BackgroundWorkOptions {
  /** How much is done at the same time. */
  atOnce: number;
  /** How much may wait; what comes beyond that is dropped. */
  waiting: number;
  /** Milliseconds that one piece of work may take. */
  longestMs: number;
  onError(error: unknown): void;
}

/** Work that nobody waits for: bounded in number, time and memory. */
export interface BackgroundWork {
  /** False when it was dropped. */
  add(work: (ctx: DeadlineContext) => Promise<void>): boolean;
  /** Drops what waits and ends what is under way. It does not wait for either. */
  close(): void;
}

type Work = Parameters<BackgroundWork['add']>[0];

/** For work that comes again by itself when it is lost. */
export function createBackgroundWork(options: BackgroundWorkOptions): BackgroundWork {
  const closing = new AbortController();
  const waiting: Work[] = [];
  let running = 0;

  async function run(work: Work): Promise<void> {
    const process = { signal: closing.signal, deadline: Infinity };
    const late = () => new Error('background work was not done in time, or the service ends');
    try {
      await withTimeout(process, options.longestMs, (ctx) =>
        abortable(work(ctx), ctx.signal, late),
      );
    } catch (error) {
      options.onError(error);
    }
  }

  function startNext(): void {
    if (running >= options.atOnce) return;
    const work = waiting.shift();
    if (!work) return;
    running += 1;
    void run(work).finally(() => {
      running -= 1;
      startNext();
    });
  }

  return {
    add(work) {
      if (closing.signal.aborted || waiting.length >= options.waiting) return false;
      waiting.push(work);
      startNext();
      return true;
    },
    close() {
      waiting.length = 0;
      closing.abort();
    },
  };
}
