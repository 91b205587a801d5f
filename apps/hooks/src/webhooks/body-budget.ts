/** Bytes of all bodies being read together. Bitbucket sends 256 KB at most. */
const MAX_BYTES_UNDER_WAY = 64 * 1024 * 1024;

/** Half of what Bitbucket waits for an answer. Enough for 256 KB over a slow line. */
const BODY_DEADLINE_MS = 5_000;

/** From this many bodies at once, the hook is looked up before a body is read. */
const MANY = 100;

/** Why a body is given up: the memory is full, or it took too long. */
type GivenUp = 'crowded_out' | 'too_slow';

/** The memory of one body that is being read. */
interface BodyMemory {
  /** @param bytes the whole size, not what is added */
  holds(bytes: number): void;
  release(): void;
}

export type BodyBudget = ReturnType<typeof createBodyBudget>;

/**
 * Bounds the memory of all bodies that this process reads, and the time of each. When the memory is
 * full, the oldest body is given up: Bitbucket sends a delivery within moments, so slow senders
 * lose first.
 */
export function createBodyBudget(maxBytes = MAX_BYTES_UNDER_WAY, deadlineMs = BODY_DEADLINE_MS) {
  /** The oldest first. */
  const underWay = new Map<
    BodyMemory,
    { bytes: number; until: number; giveUp: (why: GivenUp) => void }
  >();
  let total = 0;
  /** One timer for all bodies: the oldest is the first to be late. */
  let timer: NodeJS.Timeout | undefined;

  function giveUpOldest(): void {
    for (const [memory, { giveUp }] of underWay) {
      if (total <= maxBytes) return;
      memory.release();
      giveUp('crowded_out');
    }
  }

  function giveUpLate(): void {
    timer = undefined;
    const now = performance.now();
    for (const [memory, { until, giveUp }] of underWay) {
      if (until > now) return watch(until - now);
      memory.release();
      giveUp('too_slow');
    }
  }

  function watch(ms: number): void {
    timer ??= setTimeout(giveUpLate, Math.ceil(ms)).unref();
  }

  return {
    /** @param giveUp called when the body is given up, after its memory is released */
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

    /** Whether hooks are to be looked up before more bodies are read. */
    isCrowded: () => underWay.size >= MANY,
  };
}
