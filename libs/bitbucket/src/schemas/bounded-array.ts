import { z } from 'zod';

/** More than Bitbucket puts into any list or page of one. */
const MOST = 1_000;

/** At most 1,000 values. The length is checked first: zod would note every wrong value. */
export function boundedArray<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(z.unknown()).max(MOST).pipe(z.array(item));
}
