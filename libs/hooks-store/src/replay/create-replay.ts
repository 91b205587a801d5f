import type { ReplyOf } from '@cds/redis';
import type { Redis } from 'ioredis';
import { timestampOfId } from '../clock';
import { hookKeys, keysOf } from '../redis-keys';
import { unlessUnreadable, UnreadableExecutionError } from '../unreadable/check-execution';
import { fieldsOf, readExecution } from '../stored-execution-text';
import { REPLAY_EXECUTION, SAME_REPLAY_US } from './replay-execution.lua';
import { whyNoReplay } from './why-no-replay';

/** `again`: requested twice within a minute; this is the first replay. */
export type Replayed = ReplyOf<typeof REPLAY_EXECUTION> | { kind: 'refused'; reason: string };

/** `possible`: it would be replayed. */
export type ReplayPreview = { kind: 'possible' } | Exclude<Replayed, { kind: 'ok' }>;

/**
 * Prepares replays: a new execution of the same content, at the end of the hook's list.
 * @returns a function of uuid, id of the execution and now (ms)
 */
export function createReplay({ redis }: { redis: Redis }) {
  const replayExecution = REPLAY_EXECUTION.on(redis);

  return async function replay(uuid: string, id: string, now: number): Promise<Replayed> {
    const found = await readReplayable(redis, uuid, id);
    if (found.kind !== 'found') return found;
    const { type, config, webhook, scheduled_task, rabbitmq, poll, request_id } = found.execution;
    // Under the same request id: the log tells one story.
    const copy = {
      ...{ type, config, webhook, scheduled_task, rabbitmq, poll },
      ...{ accepted_at: now, replay_of: timestampOfId(id), request_id },
    };
    const args = { uuid, id, nowUs: now * 1000, execution: JSON.stringify(copy).slice(1) };
    return replayExecution(keysOf(uuid), args);
  };
}

/** Says what a replay would do, and writes nothing. */
export async function previewReplay(
  redis: Redis,
  uuid: string,
  id: string,
  now: number,
): Promise<ReplayPreview> {
  const found = await readReplayable(redis, uuid, id);
  if (found.kind !== 'found') return found;
  const { task, done, dead } = hookKeys(uuid);
  const [type, last] = await redis.hmget(task, 'type', 'last_replay');
  if (!type) return { kind: 'unknown' };
  const scores = await Promise.all([redis.zscore(done, id), redis.zscore(dead, id)]);
  if (scores.every((score) => score === null)) return { kind: 'waiting' };
  const [, before, replay = ''] = /^(\d+)\/(\d+)$/.exec(last ?? '') ?? [];
  const isSame = before === id && Math.abs(now * 1_000 - Number(replay)) < SAME_REPLAY_US;
  return isSame ? { kind: 'again', id: replay } : { kind: 'possible' };
}

async function readReplayable(redis: Redis, uuid: string, id: string) {
  const [json, body] = await redis.hmget(keysOf(uuid).executions, ...fieldsOf([id]));
  if (!json) return { kind: 'unknown' as const };
  const refused = (reason: string) => ({ kind: 'refused' as const, reason });
  const execution = unlessUnreadable(() => readExecution(json, body));
  if (!execution) return refused(new UnreadableExecutionError().message);
  const reason = whyNoReplay(execution);
  return reason === undefined ? { kind: 'found' as const, execution } : refused(reason);
}
