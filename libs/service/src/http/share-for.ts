/**
 * Does the work once for all callers within `ms`, or while it is under way. A failure is shared by
 * its waiting callers alone.
 */
export function shareFor<T>(ms: number, work: () => Promise<T>): () => Promise<T> {
  let shared: { answer: Promise<T>; begun: number; pending: boolean } | undefined;
  return () => {
    const now = performance.now();
    if (shared && (shared.pending || now - shared.begun < ms)) return shared.answer;
    const mine = { answer: work(), begun: now, pending: true };
    shared = mine;
    mine.answer.then(
      () => (mine.pending = false),
      () => {
        if (shared === mine) shared = undefined;
      },
    );
    return mine.answer;
  };
}
