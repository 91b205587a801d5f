import type { Redis } from 'ioredis';
import { isCleanupId } from '../cleanups/cleanup';
import { parseState, stateOfRetry } from '../execution';
import { KEYS, keysOf, PREFIXES, recordKeys } from '../redis-keys';
import {
  type DeadLetter,
  type DeadLetterRef,
  readExecutions,
  readFailedCleanups,
} from './dead-letter';
import {
  DROP_CLEANUP,
  DROP_EXECUTION,
  RETRY_CLEANUP,
  RETRY_EXECUTION,
} from './dead-letter-scripts.lua';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { deadExecutions, eachChunk } from './each-chunk';

/**
 * `unknown`: there is no such execution; `not-dead`: it did not fail for good, or was sent again.
 */
export type Moved = 'ok' | 'unknown' | 'not-dead';

export interface AllMoved {
  executions: number;
  cleanups: number;
  /** Time was up before the end: call it again. */
  more: boolean;
}

interface MoveAllOptions {
  /**
   * Those of this hook and of the cleanups that it scheduled, or this cleanup. All when not given.
   */
  uuid?: string | undefined;
  /** When to stop (ms since 1970). */
  until: number;
  /** Called with what was moved, some at a time. */
  moved?: (refs: DeadLetterRef[]) => void;
}

/**
 * Dead letters in Redis: listed, retried, dropped. Each move is one script, safe to repeat, and
 * every call of Redis is bounded. The caller resumes the job of the hook, or leaves that to the
 * requeue of lost jobs.
 */
export function createDeadLetters(deps: { redis: Redis; keyRepair?: KeyRepair }) {
  const { redis, keyRepair = NO_KEY_REPAIR } = deps;
  const retryExecution = RETRY_EXECUTION.on(redis);
  const dropExecution = DROP_EXECUTION.on(redis);
  const retryCleanup = RETRY_CLEANUP.on(redis);
  const dropCleanup = DROP_CLEANUP.on(redis);

  /** A key of another type does not keep the others from being moved. */
  function mended(ref: DeadLetterRef, move: (ref: DeadLetterRef) => Promise<Moved>) {
    return keyRepair[ref.kind === 'cleanup' ? 'cleanup' : 'hook'](ref.uuid, () => move(ref));
  }

  async function retry(ref: DeadLetterRef): Promise<Moved> {
    const { uuid, id } = ref;
    if (ref.kind === 'cleanup') {
      return retryCleanup(recordKeys(uuid), { id: uuid, accepted: id });
    }
    const keys = keysOf(uuid);
    const now = Date.now();
    for (;;) {
      const state = (await redis.hget(keys.states, id)) ?? '';
      const again = JSON.stringify(stateOfRetry(parseState(state), now));
      const reply = await retryExecution(keys, { uuid, id, before: state, state: again, now });
      if (reply !== 'changed') return reply;
    }
  }

  async function drop({ kind, uuid, id }: DeadLetterRef): Promise<Moved> {
    if (kind === 'cleanup') {
      return dropCleanup(recordKeys(uuid), { id: uuid, accepted: id, ...PREFIXES });
    }
    return dropExecution(keysOf(uuid), { uuid, id });
  }

  async function moveAll(
    move: (ref: DeadLetterRef) => Promise<Moved>,
    { uuid, until, moved }: MoveAllOptions,
  ): Promise<AllMoved> {
    const counts = { execution: 0, cleanup: 0 };
    const moveSome = async (refs: DeadLetterRef[]): Promise<void> => {
      const results = await Promise.all(refs.map((ref) => mended(ref, move)));
      const done = refs.filter((_, index) => results[index] === 'ok');
      for (const { kind } of done) counts[kind]++;
      if (done.length > 0) moved?.(done);
    };
    const isComplete = await eachChunk(redis, { uuid, until }, moveSome);
    return { executions: counts.execution, cleanups: counts.cleanup, more: !isComplete };
  }

  return {
    /**
     * Newest first, by when their deliveries were accepted.
     * @param page.uuid those of one hook and of its cleanups, or one cleanup
     */
    async list(page: {
      uuid?: string | undefined;
      offset: number;
      limit: number;
    }): Promise<DeadLetter[]> {
      const { uuid, offset, limit } = page;
      const cleanups = await readFailedCleanups(redis, uuid);
      // All cleanups are at hand, so a page needs the executions from so far before it at most.
      const first = Math.max(0, offset - cleanups.length);
      const last = offset + limit - 1;
      const { set, toRef } = deadExecutions(uuid);
      const refs = (await redis.zrevrange(set, first, last)).map(toRef);
      const executions = await readExecutions(redis, refs);
      return [...executions, ...cleanups]
        .sort((a, b) => b.timestamp - a.timestamp)
        .slice(offset - first, offset - first + limit);
    },

    /** The number of them. */
    async count(uuid?: string): Promise<number> {
      const [executions, cleanups] = await Promise.all([
        redis.zcard(deadExecutions(uuid).set),
        uuid === undefined
          ? redis.zcount(KEYS.failedCleanups, '0', '+inf')
          : readFailedCleanups(redis, uuid).then(({ length }) => length),
      ]);
      return executions + cleanups;
    },

    /** Whether an execution is one. */
    async includes(uuid: string, id: string): Promise<boolean> {
      return (await redis.zscore(KEYS.failed, `${uuid}/${id}`)) !== null;
    },

    /** Retries one: at the end of its hook's list; a cleanup at its old time. */
    retry: (uuid: string, id: string): Promise<Moved> =>
      mended({ kind: isCleanupId(uuid) ? 'cleanup' : 'execution', uuid, id }, retry),

    /** Removes one for good. */
    drop: (uuid: string, id: string): Promise<Moved> =>
      mended({ kind: isCleanupId(uuid) ? 'cleanup' : 'execution', uuid, id }, drop),

    /**
     * Retries all, the oldest first. One that fails again meanwhile is not retried a second time.
     */
    retryAll: (options: MoveAllOptions): Promise<AllMoved> => moveAll(retry, options),

    dropAll: (options: MoveAllOptions): Promise<AllMoved> => moveAll(drop, options),
  };
}
