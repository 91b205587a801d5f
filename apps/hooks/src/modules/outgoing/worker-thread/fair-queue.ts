/**
 * A queue in which owners take turns. The items of one owner keep their order. An item waits for
 * one item of each other owner at most, and for those of its own.
 */
export function createFairQueue<T>({ max, maxPerOwner }: { max: number; maxPerOwner: number }) {
  /** The owner of the next turn is first. */
  const byOwner = new Map<string, T[]>();
  let size = 0;

  function shift(): T | undefined {
    const [next] = byOwner;
    if (!next) return undefined;
    const [owner, items] = next;
    const item = items.shift();
    size -= 1;
    byOwner.delete(owner);
    if (items.length > 0) byOwner.set(owner, items);
    return item;
  }

  return {
    shift,

    /** @returns false when the queue is full, in all or for this owner */
    push(owner: string, item: T): boolean {
      const items = byOwner.get(owner) ?? [];
      if (size >= max || items.length >= maxPerOwner) return false;
      items.push(item);
      size += 1;
      byOwner.set(owner, items);
      return true;
    },

    drain(): T[] {
      return Array.from({ length: size }, shift).flatMap((item) => item ?? []);
    },
  };
}
