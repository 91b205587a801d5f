import type { Redis } from 'ioredis';
import { isoOf } from '../clock';
import { type ListedExecution, mapExecutions, type ReadExecution } from './execution-list';
import { changesOfExecution, type ListedChange } from './refs-of-execution';

/**
 * What became of an execution. `none`: it is done and started no run, since nothing was to be run,
 * or a poll had its changes before.
 */
export type ExecutionResult =
  | 'waiting'
  | 'retrying'
  | 'run'
  | 'none'
  | 'ignored'
  | 'duplicate'
  | 'failed';

/** An execution with what became of it. */
export interface PastExecution extends ListedExecution {
  result: ExecutionResult;
  changes: ListedChange[];
  /** Bitbucket's name of its delivery, as the request history shows it; "" without one. */
  request_uuid: string;
  /** `repo:push` */
  event: string;
  /** What brought it. */
  by: 'delivery' | 'poll' | 'other';
  /** No try before (ISO 8601), else "". */
  retry_at: string;
  /** How often an operator sent it again. */
  retries: number;
}

/**
 * The newest executions of a hook, with what became of each.
 * @returns undefined without such a task
 */
export function listHistory(
  redis: Redis,
  uuid: string,
  limit: number,
  signal?: AbortSignal,
): Promise<{ found: PastExecution[]; total: number } | undefined> {
  return mapExecutions(redis, uuid, limit, pastExecution, signal);
}

function pastExecution(execution: ReadExecution): PastExecution {
  const { listed, state, read } = execution;
  const headers = read?.execution.webhook?.request_header;
  return {
    ...listed,
    result: resultOf(execution),
    changes: read ? changesOfExecution(read.execution, read.body) : [],
    request_uuid: header(headers, 'x-request-uuid'),
    event: header(headers, 'x-event-key'),
    by: headers ? 'delivery' : read?.execution.poll ? 'poll' : 'other',
    retry_at: listed.status === 'waiting' ? isoOf(state.retry_at) : '',
    retries: state.retries,
  };
}

function resultOf({ listed, state }: ReadExecution): ExecutionResult {
  if (listed.status === 'waiting') return state.nb_errors > 0 ? 'retrying' : 'waiting';
  if (listed.status === 'failed' || state.failed) return 'failed';
  // So begins the state of a delivery that was stored as done.
  const [, ended] = /^(duplicate|ignored): /.exec(state.last_error) ?? [];
  if (ended) return ended as ExecutionResult;
  return state.workflow_run > 0 ? 'run' : 'none';
}

const MAX_HEADER = 128;

function header(headers: Record<string, unknown> | null | undefined, name: string): string {
  const [, value] = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name) ?? [];
  return String((Array.isArray(value) ? value[0] : value) ?? '').slice(0, MAX_HEADER);
}
