import type { Redis } from 'ioredis';
import { timestampOfId } from '../clock';
import { keysOf } from '../redis-keys';
import type { StoredExecution } from '../execution';
import { UnreadableExecutionError } from '../unreadable/check-execution';
import { fieldsOf, readExecution } from '../stored-execution-text';
import { REPLAY_EXECUTION } from './replay-execution.lua';
import { whyNoReplay } from './why-no-replay';

export type Replayed =
  /** `again`: it was asked for a moment ago already; this is that one. */
  | { kind: 'ok' | 'again'; id: string }
  /** There is no such execution, or it is not finished. */
  | { kind: 'unknown' | 'waiting' }
  | { kind: 'refused'; reason: string };

function readOrReason(json: string, body: string | null | undefined): StoredExecution | string {
  try {
    return readExecution(json, body);
  } catch (error) {
    if (error instanceof UnreadableExecutionError) return error.message;
    throw error;
  }
}

const SAME_REPLAY_US = 60_000_000;

/**
 * Prepares replays: a new execution of the same content, at the end of the hook's list.
 *
 * @returns a function of uuid, id of the execution and now (ms)
 */
export function createReplay({ redis }: { redis: Redis }) {
  const replayExecution = REPLAY_EXECUTION.on(redis);

  return async function replay(uuid: string, id: string, now: number): Promise<Replayed> {
    const keys = keysOf(uuid);
    const [json, body] = await redis.hmget(keys.executions, ...fieldsOf([id]));
    if (!json) return { kind: 'unknown' };
    const execution = readOrReason(json, body);
    if (typeof execution === 'string') return { kind: 'refused', reason: execution };
    const reason = whyNoReplay(execution);
    if (reason !== undefined) return { kind: 'refused', reason };
    const { type, config, webhook, scheduled_task, rabbitmq, poll, request_id } = execution;
    // Under the same request id: the log tells one story.
    const copy = {
      ...{ type, config, webhook, scheduled_task, rabbitmq, poll },
      ...{ accepted_at: now, replay_of: timestampOfId(id), request_id },
    };
    return replayExecution(keys, {
      uuid,
      id,
      nowUs: now * 1000,
      execution: JSON.stringify(copy).slice(1),
      sameWithinUs: SAME_REPLAY_US,
    });
  };
}
