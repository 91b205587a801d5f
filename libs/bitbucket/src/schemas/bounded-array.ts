import { z } from 'zod';

/** More than Bitbucket puts into any list or page of one. */
const MOST = 1_000;

/**
 * An array of at most 1,000 values. Its length is checked first: zod would note what is wrong with
 * each of a million values, and fill the memory with that.
 */
export function boundedArray<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(z.unknown()).max(MOST).pipe(z.array(item));
}
