const pending = new Set<() => unknown>();

function doAll(): void {
  for (const work of pending) work();
}

/**
 * Does it when this process exits, over one listener however much there is: Node.js warns of
 * eleven.
 *
 * @param work synchronous
 * @returns what leaves it out, since it was done otherwise
 */
export function atExit(work: () => unknown): () => void {
  if (pending.size === 0) process.once('exit', doAll);
  pending.add(work);
  return () => {
    pending.delete(work);
    if (pending.size === 0) process.off('exit', doAll);
  };
}
