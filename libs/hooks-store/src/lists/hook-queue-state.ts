import type { Redis } from 'ioredis';
import { isoOf, timestampOfId } from '../clock';
import { parseState } from '../execution';
import { readableOf } from '../pipeline-replies';
import { BULL_PREFIX, HOOK_QUEUE, hookJobId, hookKeys, KEYS, SIGNED_FIELD } from '../redis-keys';

/** Scores of BullMQ's delayed jobs count in 1/4,096 ms. */
const BULL_SCORES_PER_MS = 0x1000;

/** How the pending executions of a hook are processed now. */
export interface HookQueueState {
  /** Pending executions. */
  waiting: number;
  /** ISO 8601; "" without any. */
  waiting_since: string;
  /** Whether a delivery of the hook had a right signature before. */
  signed: boolean;
  /** The oldest one, which the others wait behind; null without any. */
  head: {
    timestamp: number;
    nb_errors: number;
    last_error: string;
    /** No try before (ISO 8601); "" where it may be tried now. */
    retry_at: string;
  } | null;
  /** `active` also where it is processed without a job; a sweep finds `missing` within seconds. */
  job: 'missing' | 'queued' | 'active' | 'delayed';
  /** When a delayed job goes on (ISO 8601), else "". */
  resumes_at: string;
  /** Whether it waits until the API answers. */
  api_outage: boolean;
  /** Whether the processing of all hooks is paused for a maintenance of CDS. */
  maintenance: boolean;
}

/** Reads how far the queue of a hook is; two round trips. */
export async function readHookQueue(redis: Redis, uuid: string): Promise<HookQueueState> {
  const keys = hookKeys(uuid);
  const job = hookJobId(uuid);
  const bull = (name: string) => `${BULL_PREFIX}:${HOOK_QUEUE}:${name}`;
  const asking = redis.pipeline().llen(keys.waiting).lindex(keys.waiting, 0);
  asking.hget(keys.task, SIGNED_FIELD);
  asking.zscore(KEYS.waitingSince, uuid).zscore(KEYS.stoppedWaitingSince, uuid);
  asking.exists(bull(job)).zscore(bull('delayed'), job).lrange(bull('active'), 0, 1_000);
  asking.zscore(KEYS.apiWaiters, job).hexists(KEYS.hookQueueMeta, 'paused');
  asking.exists(keys.owner);
  const replies = await readableOf(asking);
  const [waiting, headId, signed, since, stoppedSince] = replies as (string | undefined | null)[];
  const [exists, delayed, active, outage, paused, owner] = replies.slice(5);
  const json = headId ? await redis.hget(keys.states, headId).catch(() => null) : null;
  const state = parseState(json);
  const isActive = Array.isArray(active) && active.includes(job);
  const isDelayed = typeof delayed === 'string';
  function jobOf(): HookQueueState['job'] {
    if (isActive) return 'active';
    if (isDelayed) return 'delayed';
    if (exists === 1) return 'queued';
    return owner === 1 ? 'active' : 'missing';
  }

  return {
    waiting: Number(waiting ?? 0),
    waiting_since: isoOf(Number(since ?? stoppedSince ?? 0)),
    signed: signed === '1',
    head: headId
      ? {
          timestamp: timestampOfId(headId),
          nb_errors: state.nb_errors,
          last_error: state.last_error.slice(0, 1_000),
          retry_at: isoOf(state.retry_at),
        }
      : null,
    job: jobOf(),
    resumes_at: isDelayed ? isoOf(Math.floor(Number(delayed) / BULL_SCORES_PER_MS)) : '',
    api_outage: typeof outage === 'string',
    maintenance: paused === 1,
  };
}
