import { z } from 'zod';

/** A grant of `vcs` as it is in Redis below its encryption; times in ms. */
export const storedGrantSchema = z
  .object({
    accessToken: z.string().min(1),
    refreshToken: z.string().min(1),
    expiresAt: z.number(),
    lifetimeMs: z.number(),
    generation: z.number().optional(),
  })
  // Older versions store no generation: the time of the renewal then orders their pairs.
  .transform(({ generation, ...pair }) => ({
    ...pair,
    generation: generation ?? pair.expiresAt - pair.lifetimeMs,
  }));
