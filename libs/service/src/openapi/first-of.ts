import { z } from 'zod';

/**
 * A value of the query, which is an array when it stands there several times: then the first one
 * counts.
 */
export function firstOf<T extends z.ZodType>(schema: T) {
  return z.preprocess(
    (value: unknown) => (Array.isArray(value) ? (value[0] as unknown) : value),
    schema,
  );
}
