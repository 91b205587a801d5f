import type { TaskType } from '@cds/wire';

/**
 * How often an execution is begun that never ends, in that the process dies or freezes before it
 * got any further. Then it is given up, so that it stops no other process.
 */
export const MAX_ATTEMPTS = 3;

/**
 * Why what was begun so often is not begun again; for the operator, and for whoever wrote the
 * workflow.
 */
export const NEVER_ENDED = `it was begun ${MAX_ATTEMPTS} times and never ended: the process that worked on it died or froze each time, before it asked anybody for anything; what it holds may be too much to work on`;

type Work = () => Promise<void>;

const waiting: Record<'deliveries' | 'outgoing', Work[]> = { deliveries: [], outgoing: [] };
let isBusy = false;

/**
 * Does this when nothing else that others had begun before they died is being done in this process.
 * So none of them is counted for the death that another one caused.
 *
 * Outgoing hooks come last: filling in and masking may take seconds, planning a delivery does not.
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
