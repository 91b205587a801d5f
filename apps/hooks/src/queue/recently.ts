/** What happened within the last moments. */
export interface Recently {
  add(name: string): void;
  /** Whether it was added within `forMs`; of what is older nothing is known for certain. */
  has(name: string): boolean;
}

/**
 * Remembers names for a moment, at no cost that grows: all are forgotten together, `forMs` after the first.
 *
 * @param now milliseconds, of a clock that is never put back
 */
export function createRecently(
  forMs: number,
  now: () => number = () => performance.now(),
): Recently {
  const names = new Set<string>();
  let began = 0;
  const forget = (): void => {
    if (names.size > 0 && now() - began >= forMs) names.clear();
  };
  return {
    add(name) {
      forget();
      if (names.size === 0) began = now();
      names.add(name);
    },
    has(name) {
      forget();
      return names.has(name);
    },
  };
}
