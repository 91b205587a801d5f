import type { TaskType } from '@cds/wire';

/**
 * How often an execution is begun that never ends, in that the process dies or freezes before it got any further. Then it
 * is given up, so that it stops no other process.
 */
export const MOST_BEGUN = 3;

/** Why what was begun so often is not begun again; for the operator, and for whoever wrote the workflow. */
export const NEVER_ENDED = `it was begun ${MOST_BEGUN} times and never ended: the process that worked on it died or froze each time, before it asked anybody for anything; what it holds may be too much to work on`;

const queues = new Map<string, Promise<unknown>>();

/**
 * Does this when nothing else of this type of hook is being done in this process: what others had begun before they died. So none of
 * them is counted for the death that another one caused.
 */
export function doAlone<T>(type: TaskType, work: () => Promise<T>): Promise<T> {
  const done = (queues.get(type) ?? Promise.resolve()).then(work);
  queues.set(
    type,
    done.catch(() => undefined),
  );
  return done;
}
