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

/**
 * The pauses of one child: each twice as long as the one before it, up to the longest.
 *
 * @returns takes how long it ran this time
 */
export function createPauses({ first, longest, healthyAfter }: RestartPauses) {
  let pause = first;
  return (ranMs: number): number => {
    if (ranMs >= healthyAfter) pause = first;
    const now = pause;
    pause = Math.min(pause * 2, longest);
    return now;
  };
}
