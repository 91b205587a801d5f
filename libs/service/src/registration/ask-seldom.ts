const ASK_EVERY_MS = 10 * 60_000;

/**
 * Keeps an answer of the API that hardly ever changes: `refresh` asks for it at most once in ten
 * minutes, again after a failure, and never rejects.
 */
export function askSeldom<T>(ask: () => Promise<T>, failed: (error: unknown) => void) {
  let last: T | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    /** Undefined before the first answer. */
    last: () => last,
    async refresh(): Promise<void> {
      if (performance.now() - askedAt < ASK_EVERY_MS) return;
      try {
        last = await ask();
        askedAt = performance.now();
      } catch (error) {
        failed(error);
      }
    },
  };
}
