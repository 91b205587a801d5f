import { nanosecondsSchema, taskTypeSchema } from '@cds/wire';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import { isoOf, timestampOfId } from '../clock';
import { parseState } from '../execution';
import { readableOf } from '../pipeline-replies';
import { cleanupKey, hookKeys, KEYS } from '../redis-keys';
import { refsOfExecution } from '../lists/refs-of-execution';
import { fieldsOf, readWithBody } from '../stored-execution-text';
import { unlessUnreadable } from '../unreadable/check-execution';
import { readConfig } from '../unreadable/read-config';

const typeSchema = z.union([taskTypeSchema, z.literal('')]);

/** An execution or a cleanup that failed for good. Never has a body or a header of its delivery. */
export const deadLetterSchema = z
  .object({
    kind: z.enum(['execution', 'cleanup']),
    uuid: z.string().meta({ description: 'Of the task; of a cleanup its own.' }),
    timestamp: nanosecondsSchema,
    type: typeSchema.meta({ description: 'Empty when it cannot be read.' }),
    // What would be run now: the configuration that the task has, which may have changed since.
    project: z.string(),
    workflow: z.string(),
    repository: z.string().meta({ description: '`workspace/slug`; empty for a plain webhook.' }),
    branch: z.string().optional().meta({
      description: 'Branches and tags of a push, separated by commas; of a cleanup its branch.',
    }),
    request_id: z.string().meta({ description: 'Of the delivery, as it stands in the log.' }),
    nb_errors: z.int(),
    last_error: z.string(),
    failed_at: z.string().meta({ description: 'ISO 8601; empty when its record does not tell.' }),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** Where a dead letter is. */
export interface DeadLetterRef {
  kind: DeadLetter['kind'];
  uuid: string;
  /** Of the execution; for a cleanup, of the execution with the deletion. */
  id: string;
}

const MAX_ERROR_LENGTH = 1_000;
/** In memory at the same time: each may have 256 KB. */
const BODIES_AT_ONCE = 50;

/** The executions in the same order; missing ones are left out. */
export async function readExecutions(redis: Redis, refs: DeadLetterRef[]): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (let i = 0; i < refs.length; i += BODIES_AT_ONCE)
    letters.push(...(await readSome(redis, refs.slice(i, i + BODIES_AT_ONCE))));
  return letters;
}

async function readSome(redis: Redis, refs: DeadLetterRef[]): Promise<DeadLetter[]> {
  const uuids = [...new Set(refs.map(({ uuid }) => uuid))];
  const pipeline = redis.pipeline();
  for (const uuid of uuids) pipeline.hmget(hookKeys(uuid).task, 'type', 'config');
  for (const { uuid, id } of refs) pipeline.hget(hookKeys(uuid).states, id);
  for (const { uuid, id } of refs) pipeline.hmget(hookKeys(uuid).executions, ...fieldsOf([id]));
  const replies = await readableOf(pipeline);
  const tasks = new Map(
    uuids.map((uuid, index) => [uuid, (replies[index] ?? []) as (string | null)[]]),
  );
  return refs.flatMap(({ uuid, id }, index) => {
    const state = replies[uuids.length + index] as string | null | undefined;
    const [type, config] = tasks.get(uuid) ?? [];
    if (!type) return [];
    const { nb_errors, last_error, processing_timestamp } = parseState(state);
    const values = readConfig(config);
    const received = replies[uuids.length + refs.length + index];
    const { branch, request_id } = receivedOf(received as (string | null)[] | undefined);
    return [
      {
        kind: 'execution',
        uuid,
        timestamp: timestampOfId(id),
        type: typeSchema.catch('').parse(type),
        project: values?.project?.value ?? '',
        workflow: values?.workflow?.value ?? '',
        repository: values?.repoFullName?.value ?? '',
        ...(branch === '' ? {} : { branch }),
        request_id,
        nb_errors,
        last_error: last_error.slice(0, MAX_ERROR_LENGTH),
        failed_at: isoOf(processing_timestamp / 1e6),
      },
    ];
  });
}

/** Failed cleanups of one hook or all. Only the newest hundred or so are stored. */
export async function readFailedCleanups(redis: Redis, uuid?: string): Promise<DeadLetter[]> {
  const ids = await redis.zrangebyscore(KEYS.failedCleanups, '0', '+inf', 'LIMIT', 0, 1_000);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hgetall(cleanupKey(id));
  const replies = await readableOf(pipeline);
  return ids.flatMap((id, index) => {
    const hash = (replies[index] ?? {}) as Record<string, string>;
    if (
      !/^\d{1,16}$/.test(hash.accepted ?? '') ||
      (uuid !== undefined && uuid !== id && uuid !== hash.hook)
    )
      return [];
    return [
      {
        kind: 'cleanup',
        uuid: id,
        timestamp: timestampOfId(hash.accepted ?? ''),
        type: 'BranchDeletion',
        project: hash.project ?? '',
        workflow: hash.workflow ?? '',
        repository: hash.repository ?? '',
        branch: hash.branch ?? '',
        request_id: hash.request_id ?? '',
        nb_errors: Number(hash.nb_errors) || 0,
        last_error: (hash.last_error ?? '').slice(0, MAX_ERROR_LENGTH),
        failed_at: isoOf(Number(hash.processed)),
      },
    ];
  });
}

/** Empty where the delivery cannot be read. */
function receivedOf([json, kept]: (string | null)[] = []): { branch: string; request_id: string } {
  const read = unlessUnreadable(() => readWithBody(json ?? '', kept));
  if (!read) return { branch: '', request_id: '' };
  const branch = refsOfExecution(read.execution, read.body).join(', ');
  return { branch, request_id: read.execution.request_id ?? '' };
}
