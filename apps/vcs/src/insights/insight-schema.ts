import { z } from 'zod';
import { text } from '../http/route-params';

/** CDS sends six. */
const MAX_DATA = 100;

/** A report about a commit, as CDS sends it. */
export const insightSchema = z
  .object({
    title: text,
    detail: text,
    data: z
      .array(z.unknown())
      .max(MAX_DATA)
      .pipe(z.array(z.object({ title: text, type: text, text, href: text })))
      .nullish()
      .transform((value) => value ?? []),
  })
  .meta({ id: 'VcsInsight' });
export type Insight = z.infer<typeof insightSchema>;
