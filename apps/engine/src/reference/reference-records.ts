import { taskTypeSchema } from '@cds/wire';
import * as z from 'zod';

const configValue = z.looseObject({
  value: z.string().default(''),
  configurable: z.boolean().default(false),
  type: z.string().default(''),
  multiple_choice_list: z.array(z.unknown()).nullable().default(null),
});
const config = z
  .record(z.string(), configValue)
  .nullish()
  .transform((value) => value ?? null);

/** A task as CDS's own hooks stores it. */
export const referenceTask = z.looseObject({
  uuid: z.string().min(1),
  type: taskTypeSchema,
  config,
  stopped: z.boolean().default(false),
});
export type ReferenceTask = z.infer<typeof referenceTask>;

/** Nanoseconds are beyond what JavaScript's integers hold: as near as they come. */
const nanoseconds = z.number().nonnegative();

/** An execution as CDS's own hooks stores it. Its exact timestamp is in its key. */
export const referenceExecution = z.looseObject({
  uuid: z.string(),
  type: z.string(),
  nb_errors: z.int().nonnegative().default(0),
  last_error: z.string().default(''),
  processing_timestamp: nanoseconds.default(0),
  config,
  webhook: z
    .looseObject({
      request_url: z.string().default(''),
      request_body: z
        .string()
        .refine((text) => Buffer.from(text, 'base64').toString('base64') === text)
        .nullish()
        .transform((body) => body ?? ''),
      request_header: z
        .record(z.string(), z.array(z.string()).nullable())
        .nullish()
        .transform((headers) =>
          Object.fromEntries(
            Object.entries(headers ?? {}).map(([name, values]) => [name, values ?? []]),
          ),
        ),
      request_method: z.string().default(''),
    })
    .nullish(),
  status: z.enum(['', 'SCHEDULED', 'ENQUEUED', 'DOING', 'DONE']).default(''),
});
export type ReferenceExecution = z.infer<typeof referenceExecution>;

/** CDS's own hooks never tries it again: the branch is gone. */
const NO_BRANCH = 'branchName parameter must be provided';

/**
 * `done`: nothing is left, or it was given up. `waiting`: never tried. `under-way`: the service
 * ended meanwhile, so the result is unknown. `retry`: it failed and has tries left.
 */
export function stateOfExecution(
  execution: ReferenceExecution,
  retryError: number,
): 'done' | 'waiting' | 'under-way' | 'retry' {
  const { status, processing_timestamp, nb_errors, last_error } = execution;
  const isGivenUp = nb_errors >= retryError || last_error.includes(NO_BRANCH);
  if (status === 'DOING') return isGivenUp ? 'done' : 'under-way';
  if (processing_timestamp === 0) return isGivenUp ? 'done' : nb_errors > 0 ? 'retry' : 'waiting';
  if (status === 'ENQUEUED' || last_error !== '') return isGivenUp ? 'done' : 'retry';
  return 'done';
}

export type Read<T> = { ok: true; value: T } | { ok: false; reason: string };

/** Reads JSON of the reference. The reason names fields, never their values: some are secrets. */
export function readRecord<T>(schema: z.ZodType<T>, json: string | null | undefined): Read<T> {
  if (!json) return { ok: false, reason: 'there is nothing under its key' };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { ok: false, reason: 'it is no JSON' };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const fields = parsed.error.issues.map(({ path }) => path.slice(0, 2).join('.') || 'it');
  return { ok: false, reason: `not as CDS writes it: ${[...new Set(fields)].join(', ')}` };
}
