import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 10;

/**
 * How long `work` took as this process saw it, in milliseconds: ticks of 10 ms are counted, and a
 * process that got no processor, or was busy, misses them. A deadline of a timer is seen to be kept
 * by that also on a machine that is slow or busy, as long as it is kept by this process.
 */
export async function awakeTime(work: () => Promise<unknown>): Promise<number> {
  let ticks = 0;
  let isOver = false;
  const count = async (): Promise<void> => {
    for (; !isOver; ticks += 1) await sleep(TICK_MS);
  };
  const counting = count();
  try {
    await work();
    return ticks * TICK_MS;
  } finally {
    isOver = true;
    await counting;
  }
}
