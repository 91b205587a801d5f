import type { TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import { isoOf, timestampOfId } from '../clock';
import { readableOf } from '../pipeline-replies';
import { type ExecutionState, parseState } from '../execution';
import { hookKeys } from '../redis-keys';
import { fieldsOf, readWithBody } from '../stored-execution-text';
import { unlessUnreadable, UnreadableExecutionError } from '../unreadable/check-execution';
import { refsOfExecution } from './refs-of-execution';

/** An execution in a listing. Never has a body or a header of its delivery. */
export interface ListedExecution {
  uuid: string;
  /** Nanoseconds. */
  timestamp: number;
  type: TaskType | '';
  status: 'waiting' | 'done' | 'failed';
  /** ISO 8601; "" where the execution cannot be read. */
  accepted_at: string;
  /** Branches and tags of its delivery, if any. */
  refs: string[];
  request_id: string;
  workflow_run: number;
  nb_errors: number;
  last_error: string;
}

/** What Redis has of an execution; `read` is undefined where it cannot be read. */
export interface ReadExecution {
  listed: ListedExecution;
  state: ExecutionState;
  read: ReturnType<typeof readWithBody> | undefined;
}

/** Bodies that are in memory at the same time: each may have 256 KB. */
const AT_ONCE = 20;
const MAX_ERROR = 1_000;

/**
 * The newest executions of a hook, pending ones and dead letters included, some at a time.
 * @returns undefined without such a task
 */
export async function listExecutions(
  redis: Redis,
  uuid: string,
  limit: number,
): Promise<{ found: ListedExecution[]; total: number } | undefined> {
  return mapExecutions(redis, uuid, limit, ({ listed }) => listed);
}

/**
 * {@link listExecutions} with what `map` makes of each.
 * @param map called with what must not be kept: a body of 256 KB
 * @param signal ends the reading of further ones, with its reason as the error
 */
export async function mapExecutions<T>(
  redis: Redis,
  uuid: string,
  limit: number,
  map: (execution: ReadExecution) => T,
  signal?: AbortSignal,
): Promise<{ found: T[]; total: number } | undefined> {
  const keys = hookKeys(uuid);
  const last = limit - 1;
  const pipeline = redis.pipeline().exists(keys.task).llen(keys.waiting);
  pipeline.zcard(keys.done).zcard(keys.dead).lrange(keys.waiting, -limit, -1);
  pipeline.zrevrange(keys.done, 0, last).zrevrange(keys.dead, 0, last);
  const [exists, ...replies] = await readableOf(pipeline);
  if (exists !== 1) return undefined;
  const total = replies.slice(0, 3).reduce<number>((sum, count) => sum + Number(count ?? 0), 0);
  const lists = replies.slice(3).map((ids) => (ids as string[] | undefined) ?? []);
  const statuses = new Map<string, ListedExecution['status']>();
  for (const [index, status] of (['waiting', 'done', 'failed'] as const).entries())
    for (const id of lists[index] ?? []) statuses.set(id, status);
  const newest = [...statuses.keys()]
    .filter((id) => /^\d{1,16}$/.test(id))
    .sort((a, b) => Number(b) - Number(a))
    .slice(0, limit);
  const found: T[] = [];
  for (let i = 0; i < newest.length; i += AT_ONCE) {
    signal?.throwIfAborted();
    found.push(...(await readSome(redis, uuid, newest.slice(i, i + AT_ONCE), statuses)).map(map));
  }
  return { found, total };
}

async function readSome(
  redis: Redis,
  uuid: string,
  ids: string[],
  statuses: ReadonlyMap<string, ListedExecution['status']>,
): Promise<ReadExecution[]> {
  const keys = hookKeys(uuid);
  const pipeline = redis.pipeline().hmget(keys.executions, ...fieldsOf(ids));
  pipeline.hmget(keys.states, ...ids);
  const [executions, states] = (await readableOf(pipeline)) as ((string | null)[] | undefined)[];
  return ids.flatMap((id, index) => {
    const [json, body] = executions?.slice(2 * index) ?? [];
    if (!json) return [];
    const read = unlessUnreadable(() => readWithBody(json, body));
    const state = parseState(states?.[index]);
    const error = state.last_error.slice(0, MAX_ERROR);
    const listed: ListedExecution = {
      ...{ uuid, timestamp: timestampOfId(id), type: read?.execution.type ?? '' },
      status: statuses.get(id) ?? 'done',
      accepted_at: read ? isoOf(read.execution.accepted_at) : '',
      refs: read ? refsOfExecution(read.execution, read.body) : [],
      request_id: read?.execution.request_id ?? '',
      ...{ workflow_run: state.workflow_run, nb_errors: state.nb_errors },
      last_error: error || (read ? '' : new UnreadableExecutionError().message),
    };
    return [{ listed, state, read }];
  });
}
