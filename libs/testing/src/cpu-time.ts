const SHORT_MS = 40;
const MAX_TRIES = 8;

/**
 * Nearer to the sixteenfold than to the fourfold: collecting garbage alone can double the latter.
 */
export const LINEAR = 12;

/**
 * Milliseconds that the processors were busy with this process while `work` was done: others who
 * use the machine do not count, its speed does. So it is only ever compared with what something
 * else took in the same test.
 */
export async function cpuTime(work: () => unknown): Promise<number> {
  const began = process.cpuUsage();
  await work();
  return busySince(began);
}

/**
 * How much longer four times as much takes: about 4 for what grows with its input, 16 for what
 * grows with its square.
 *
 * In processor time, since others use the machine too, and the best of some tries. What takes less
 * than 40 ms counts as that, so that only what becomes long shows as growing.
 *
 * @param leastTries of the smaller amount: 1 for what takes seconds
 */
export function growth<T>(
  n: number,
  make: (n: number) => T,
  run: (input: T) => unknown,
  leastTries = 2,
): number {
  const small = make(n);
  const large = make(4 * n);
  milliseconds(run, small);
  let ofSmall = Infinity;
  for (let tries = 0; tries < leastTries; tries += 1)
    ofSmall = Math.min(ofSmall, milliseconds(run, small));
  let ofLarge = milliseconds(run, large);
  const ratio = () => ofLarge / Math.max(ofSmall, SHORT_MS);
  // Only a try of the large one can prove that the growth is smaller than it seemed.
  for (let tries = 1; tries < MAX_TRIES && ratio() >= LINEAR; tries += 1) {
    ofSmall = Math.min(ofSmall, milliseconds(run, small));
    ofLarge = Math.min(ofLarge, milliseconds(run, large));
  }
  return ratio();
}

/** How long the processor was busy with one call; what it throws counts as its end. */
function milliseconds<T>(run: (input: T) => unknown, input: T): number {
  const began = process.cpuUsage();
  try {
    run(input);
  } catch {
    // A refusal takes its time too.
  }
  return busySince(began);
}

function busySince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}
