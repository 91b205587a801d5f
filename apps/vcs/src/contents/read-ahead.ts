/**
 * Maps items in their order, `window` of them at a time: as many results wait in memory at most.
 * @param work given a signal that is aborted when the results are not wanted any more
 */
export async function* readAhead<T, R>(
  items: readonly T[],
  window: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<{ item: T; result: R }, undefined> {
  const rest = new AbortController();
  const begun: { item: T; result: Promise<R> }[] = [];
  const begin = (item: T): void => {
    const result = work(item, rest.signal);
    // Reported when it is waited for.
    result.catch(() => undefined);
    begun.push({ item, result });
  };
  try {
    items.slice(0, window).forEach(begin);
    for (let index = window; ; index += 1) {
      const oldest = begun.shift();
      if (!oldest) return undefined;
      const result = await oldest.result;
      items.slice(index, index + 1).forEach(begin);
      yield { item: oldest.item, result };
    }
  } finally {
    rest.abort();
  }
}
