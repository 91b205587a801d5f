import { z } from 'zod';

/**
 * Nanoseconds since 1970, by which CDS names executions. Beyond 2^53, so `z.int()` refuses it;
 * JavaScript carries multiples of 1,000 exactly.
 */
export const nanosecondsSchema = z.number().meta({
  type: 'integer',
  format: 'int64',
  description:
    'Nanoseconds since 1970, a multiple of 1000. Above 2^53: read it as a 64-bit integer.',
});
