import { setMaxListeners } from 'node:events';
import { bulkhead } from 'cockatiel';
import type { CallContext } from '../client-types';

/** About as many as a user has workspaces. */
export const AT_A_TIME = 16;

/** Maps `items`, sixteen at a time, in their order. The first error ends the rest. */
export async function sideBySide<T, R>(
  items: readonly T[],
  ctx: CallContext,
  work: (item: T, ctx: CallContext) => Promise<R>,
): Promise<R[]> {
  const rest = new AbortController();
  // Every call listens; more of them than Node takes for a leak.
  setMaxListeners(0, rest.signal);
  const stop = () => rest.abort();
  ctx.signal.addEventListener('abort', stop, { once: true });
  if (ctx.signal.aborted) stop();
  const gate = bulkhead(AT_A_TIME, Infinity);
  const inner: CallContext = {
    signal: rest.signal,
    // The caller's may move.
    get deadline() {
      return ctx.deadline;
    },
  };
  try {
    return await Promise.all(items.map((item) => gate.execute(() => work(item, inner))));
  } finally {
    stop();
    ctx.signal.removeEventListener('abort', stop);
  }
}
