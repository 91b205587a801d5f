import type { Redis } from 'ioredis';
import { timestampOfId } from '../clock';
import { keysOf } from '../redis-keys';
import { unlessUnreadable, UnreadableExecutionError } from '../unreadable/check-execution';
import { fieldsOf, readExecution } from '../stored-execution-text';
import { REPLAY_EXECUTION } from './replay-execution.lua';
import { whyNoReplay } from './why-no-replay';

export type Replayed =
  /** `again`: requested twice within a minute; this is the first replay. */
  | { kind: 'ok' | 'again'; id: string }
  /** There is no such execution, or it is pending. */
  | { kind: 'unknown' | 'waiting' }
  | { kind: 'refused'; reason: string };

/**
 * Prepares replays: a new execution of the same content, at the end of the hook's list.
 * @returns a function of uuid, id of the execution and now (ms)
 */
export function createReplay({ redis }: { redis: Redis }) {
  const replayExecution = REPLAY_EXECUTION.on(redis);

  return async function replay(uuid: string, id: string, now: number): Promise<Replayed> {
    const keys = keysOf(uuid);
    const [json, body] = await redis.hmget(keys.executions, ...fieldsOf([id]));
    if (!json) return { kind: 'unknown' };
    const execution = unlessUnreadable(() => readExecution(json, body));
    if (!execution) return { kind: 'refused', reason: new UnreadableExecutionError().message };
    const reason = whyNoReplay(execution);
    if (reason !== undefined) return { kind: 'refused', reason };
    const { type, config, webhook, scheduled_task, rabbitmq, poll, request_id } = execution;
    // Under the same request id: the log tells one story.
    const copy = {
      ...{ type, config, webhook, scheduled_task, rabbitmq, poll },
      ...{ accepted_at: now, replay_of: timestampOfId(id), request_id },
    };
    const args = { uuid, id, nowUs: now * 1000, execution: JSON.stringify(copy).slice(1) };
    return replayExecution(keys, args);
  };
}
