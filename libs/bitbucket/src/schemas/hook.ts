import * as z from 'zod';
import type { BbHook } from '../model';
import { boundedArray, text } from './text';

export const hookSchema = z
  .object({
    uuid: z.string().min(1),
    url: text,
    description: text,
    active: z.boolean().catch(true),
    events: boundedArray(z.string()).catch([]),
    secret_set: z.boolean().optional().catch(undefined),
  })
  .transform(({ secret_set: secretSet, ...rest }): BbHook => ({ ...rest, secretSet }));
