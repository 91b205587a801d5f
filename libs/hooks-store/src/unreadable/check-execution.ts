import type { StoredExecution } from '../execution';
import { traitsOf } from '../task-type-traits';
import { isObject } from './read-config';

/** An execution in Redis cannot be read. It stays as it is. */
export class UnreadableExecutionError extends Error {
  override readonly name = 'UnreadableExecutionError';

  constructor() {
    super(
      'the execution cannot be read as it stands in Redis: look at it there, or let Bitbucket send the delivery again',
    );
  }
}

/** What `read` returns; undefined where it throws an UnreadableExecutionError. */
export function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableExecutionError) return undefined;
    throw error;
  }
}

/** @throws UnreadableExecutionError for a value that is no execution */
export function checkExecution(value: unknown): StoredExecution {
  if (!isObject(value)) throw new UnreadableExecutionError();
  const { type, timestamp, accepted_at, config, webhook, rabbitmq, poll } = value;
  const { double_changes: doubles = [], late_changes: late = [] } = value;
  const isRight =
    (type === undefined || typeof type === 'string') &&
    (timestamp === undefined || Number.isFinite(timestamp)) &&
    Number.isFinite(accepted_at) &&
    (config === null || config === undefined || isObject(config)) &&
    (webhook === undefined || isRequest(webhook, type)) &&
    (rabbitmq === undefined || isObject(rabbitmq)) &&
    (poll === undefined || isObject(poll)) &&
    [doubles, late].every(Array.isArray);
  if (!isRight) throw new UnreadableExecutionError();
  return value as unknown as StoredExecution;
}

function isRequest(value: unknown, type: string | undefined): boolean {
  if (!isObject(value)) return false;
  const { request_url, request_header, request_body } = value;
  if (request_body !== undefined && typeof request_body !== 'string') return false;
  // Only the body of a push is used.
  if (type === undefined || traitsOf(type).takesPushes) return true;
  return typeof request_url === 'string' && isObject(request_header);
}
