import { z } from 'zod';
import type { BbHook } from '../model';
import { boundedArray } from './bounded-array';
import { text } from './text';

export const hookSchema = z
  .object({
    uuid: z.string().min(1),
    url: text,
    description: text,
    active: z.boolean().catch(true),
    events: boundedArray(z.string()).catch([]),
    secret_set: z.boolean().optional().catch(undefined),
  })
  .transform(({ secret_set: secretSet, ...hook }): BbHook => ({
    ...hook,
    ...(secretSet !== undefined && { secretSet }),
  }));
