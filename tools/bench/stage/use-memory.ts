import type { BenchRedis } from './bench-redis';

const ITEMS = 60_000;
/** About what a delivery takes. */
const ITEM_BYTES = 6_300;
const AT_ONCE = 500;
const KEY = 'bench:ballast';

/**
 * Lets Redis take about 400 MB and give it back. What a virtual machine has never used costs
 * several times more at its first use, since its host has to find it; in a machine that has been
 * running for a while there is hardly any such memory.
 */
export async function useMemory({ redis }: BenchRedis): Promise<void> {
  const text = 'x'.repeat(ITEM_BYTES);
  for (let first = 0; first < ITEMS; first += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, index) => [String(first + index), text]);
    await redis.hset(KEY, ...some.flat());
  }
  await redis.del(KEY);
}
