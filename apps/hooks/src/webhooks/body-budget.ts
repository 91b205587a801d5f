/** Bytes that all bodies under way may hold together: hundreds of the largest that Bitbucket sends. */
export const MOST_BYTES_UNDER_WAY = 64 * 1024 * 1024;

/** The memory of one body that is being read. */
export interface BodyMemory {
  /** @param bytes that it holds from now on */
  holds(bytes: number): void;
  /** It is read, or given up. */
  release(): void;
}

export type BodyBudget = ReturnType<typeof createBodyBudget>;

/**
 * Bounds what bodies under way hold together, in this process. When they hold too much, the one that has been under
 * way for longest is given up: deliveries of Bitbucket are read within moments, and whoever fills the memory by sending
 * slowly is the first to lose.
 */
export function createBodyBudget(mostBytes = MOST_BYTES_UNDER_WAY) {
  /** The oldest first. */
  const underWay = new Map<BodyMemory, { bytes: number; giveUp: () => void }>();
  let total = 0;

  function giveUpOldest(): void {
    for (const [memory, { giveUp }] of underWay) {
      if (total <= mostBytes) return;
      memory.release();
      giveUp();
    }
  }

  return {
    /** @param giveUp called when its memory is needed for others; it is released already */
    begin(giveUp: () => void): BodyMemory {
      const memory: BodyMemory = {
        holds(bytes) {
          const of = underWay.get(memory);
          if (!of) return;
          total += bytes - of.bytes;
          of.bytes = bytes;
          giveUpOldest();
        },
        release() {
          total -= underWay.get(memory)?.bytes ?? 0;
          underWay.delete(memory);
        },
      };
      underWay.set(memory, { bytes: 0, giveUp });
      return memory;
    },

    /** Bytes held now. */
    total: () => total,
  };
}
