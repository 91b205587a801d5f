import * as z from 'zod';

export const REDIS_AWAY = ['unavailable'] as const;

/** Any text: one that is no uuid names an unknown task. */
const uuid = z.string().meta({
  description: 'Of a hook, or of a scheduled removal of the runs of a deleted branch.',
});
const timestamp = z.string().meta({
  description:
    'Of an execution, as the listings show it: nanoseconds since 1970, a multiple of 1000.',
});

export const ofTask = {
  params: z.object({ uuid }),
  errors: ['notFound', ...REDIS_AWAY],
} as const;

export const ofExecution = {
  params: z.object({ uuid, timestamp }),
  errors: ['notFound', ...REDIS_AWAY],
} as const;

export type ExecutionRef = z.infer<(typeof ofExecution)['params']>;
