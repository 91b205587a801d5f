import type { TaskType } from '@cds/wire';

/** An execution that crashes or freezes its process this often is given up: it blocks others. */
export const MAX_ATTEMPTS = 3;

/** The error of an execution that is given up. */
export const NEVER_ENDED =
  `it was begun ${MAX_ATTEMPTS} times and never ended: the process that worked on it died or ` +
  'froze each time, before it asked anybody for anything; what it holds may be too much to work ' +
  'on';

type Work = () => Promise<void>;

const waiting: Record<'deliveries' | 'outgoing', Work[]> = { deliveries: [], outgoing: [] };
let isBusy = false;

/**
 * Runs the work of executions that an earlier process did not finish one at a time, so that a crash
 * is counted for the execution that caused it.
 *
 * Outgoing hooks come last: interpolating and masking may take seconds, planning does not.
 */
export function attemptAlone<T>(type: TaskType, work: () => Promise<T>): Promise<T> {
  const list = type.startsWith('Outgoing') ? waiting.outgoing : waiting.deliveries;
  return new Promise<T>((resolve, reject) => {
    list.push(() => work().then(resolve, reject));
    if (!isBusy) void doNext();
  });
}

async function doNext(): Promise<void> {
  isBusy = true;
  for (;;) {
    const work = waiting.deliveries.shift() ?? waiting.outgoing.shift();
    if (!work) break;
    await work();
  }
  isBusy = false;
}
