export interface FairQueueLimits {
  max: number;
  maxPerOwner: number;
}

export type FairQueue<T> = ReturnType<typeof createFairQueue<T>>;

/**
 * A queue in which owners take turns, whoever has put in more; the items of one owner keep their
 * order. So an item waits for one of each other owner at most, and for its own.
 */
export function createFairQueue<T>({ max, maxPerOwner }: FairQueueLimits) {
  /** The owner whose turn is next comes first. */
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

    /** @returns false when it is full, or holds as many as may be of this owner */
    push(owner: string, item: T): boolean {
      const items = byOwner.get(owner) ?? [];
      if (size >= max || items.length >= maxPerOwner) return false;
      items.push(item);
      size += 1;
      byOwner.set(owner, items);
      return true;
    },

    /** Takes all out. */
    drain(): T[] {
      return Array.from({ length: size }, shift).flatMap((item) => item ?? []);
    },
  };
}
