import { z } from 'zod';

/**
 * A moment in nanoseconds since 1970, which CDS names executions by. Beyond 2^53, where JavaScript has no longer every whole
 * number, so `z.int()` would refuse it; multiples of 1,000, which it carries exactly.
 */
export const nanosecondsSchema = z.number().meta({
  type: 'integer',
  format: 'int64',
  description:
    'Nanoseconds since 1970, a multiple of 1000. Above 2^53: read it as a 64-bit integer.',
});
