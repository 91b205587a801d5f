/** Bytes that all bodies under way may hold together: hundreds of the largest that Bitbucket sends. */
export const MAX_BYTES_UNDER_WAY = 64 * 1024 * 1024;

/** Half of what Bitbucket waits for; a slow line brings the 256 KB that it sends in that time. */
export const BODY_DEADLINE_MS = 5_000;

/**
 * Bodies on their way at once, from which on strangers are told from senders of ours before theirs
 * is read.
 */
const MANY = 100;

/** Why a body is given up: its memory is needed for others, or it took too long. */
export type GivenUp = 'crowded-out' | 'too-slow';

/** The memory of one body that is being read. */
export interface BodyMemory {
  /** @param bytes that it holds from now on */
  holds(bytes: number): void;
  /** It is read, or given up. */
  release(): void;
}

export type BodyBudget = ReturnType<typeof createBodyBudget>;

/**
 * Bounds what bodies under way hold together, in this process, and how long each may take. When
 * they hold too much, the one that has been under way for longest is given up: deliveries of
 * Bitbucket are read within moments, and whoever fills the memory by sending slowly is the first to
 * lose.
 */
export function createBodyBudget(maxBytes = MAX_BYTES_UNDER_WAY, deadlineMs = BODY_DEADLINE_MS) {
  /** The oldest first. */
  const underWay = new Map<
    BodyMemory,
    { bytes: number; until: number; giveUp: (why: GivenUp) => void }
  >();
  let total = 0;
  /** One for all of them: the oldest is the first to be late. */
  let timer: NodeJS.Timeout | undefined;

  function giveUpOldest(): void {
    for (const [memory, { giveUp }] of underWay) {
      if (total <= maxBytes) return;
      memory.release();
      giveUp('crowded-out');
    }
  }

  function giveUpLate(): void {
    timer = undefined;
    const now = performance.now();
    for (const [memory, { until, giveUp }] of underWay) {
      if (until > now) return watch(until - now);
      memory.release();
      giveUp('too-slow');
    }
  }

  function watch(ms: number): void {
    timer ??= setTimeout(giveUpLate, Math.ceil(ms)).unref();
  }

  return {
    /** @param giveUp called when it is to be given up; its memory is released already */
    begin(giveUp: (why: GivenUp) => void): BodyMemory {
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
      underWay.set(memory, { bytes: 0, until: performance.now() + deadlineMs, giveUp });
      watch(deadlineMs);
      return memory;
    },

    /** Bytes held now. */
    total: () => total,

    /**
     * Whether so many are under way that each is to show that a hook takes it before it is read.
     */
    isCrowded: () => underWay.size >= MANY,
  };
}
