/** When what has ended is started again. All in milliseconds. */
export interface RestartPauses {
  first: number;
  longest: number;
  /** What ran for so long is started after the first pause again. */
  healthyAfter: number;
}

export const RESTART_PAUSES: RestartPauses = {
  first: 1_000,
  longest: 60_000,
  healthyAfter: 60_000,
};

/** The pauses of one child: each twice as long as the one before it, up to the longest. */
export function createPauses({ first, longest, healthyAfter }: RestartPauses): {
  /** @param ranMs how long it ran this time */
  next(ranMs: number): number;
} {
  let pause = first;
  return {
    next(ranMs) {
      if (ranMs >= healthyAfter) pause = first;
      const now = pause;
      pause = Math.min(pause * 2, longest);
      return now;
    },
  };
}
