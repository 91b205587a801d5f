import { bulkhead } from 'cockatiel';
import type { CallContext } from '../client-types';

const AT_A_TIME = 8;

/** Maps `items` side by side, at most eight at a time; results in the order of the items. The first error ends the rest. */
export async function sideBySide<T, R>(
  items: readonly T[],
  ctx: CallContext,
  work: (item: T, ctx: CallContext) => Promise<R>,
): Promise<R[]> {
  const rest = new AbortController();
  const stop = () => rest.abort();
  ctx.signal.addEventListener('abort', stop, { once: true });
  if (ctx.signal.aborted) stop();
  const gate = bulkhead(AT_A_TIME, Infinity);
  const inner: CallContext = { ...ctx, signal: rest.signal };
  try {
    return await Promise.all(items.map((item) => gate.execute(() => work(item, inner))));
  } finally {
    stop();
    ctx.signal.removeEventListener('abort', stop);
  }
}
