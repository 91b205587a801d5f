import type { Redis } from 'ioredis';
import { isCleanupId } from '../cleanups/cleanup';
import { timestampOfId } from '../clock';
import { readableOf } from '../pipeline-replies';
import { cleanupKey, hookKeys, KEYS } from '../redis-keys';
import type { Moved } from './create-dead-letters';
import {
  type DeadLetter,
  type DeadLetterRef,
  readExecutions,
  readFailedCleanups,
} from './dead-letter';
import { eachChunk } from './each-chunk';

/** What a retry or drop would move. */
export interface DeadLetterPreview {
  executions: number;
  cleanups: number;
  /** The first of them, in the order in which they would be moved. */
  letters: DeadLetter[];
}

/** Says what a retry or drop of `createDeadLetters` would move, and writes nothing. */
export function createDeadLetterPreview({ redis }: { redis: Redis }) {
  async function stored(refs: DeadLetterRef[]): Promise<DeadLetterRef[]> {
    const pipeline = redis.pipeline();
    for (const { uuid, id } of refs) pipeline.hexists(hookKeys(uuid).executions, id);
    const replies = await readableOf(pipeline);
    return refs.filter((_, index) => replies[index] === 1);
  }

  return {
    async one(uuid: string, id: string): Promise<{ result: Moved; letters: DeadLetter[] }> {
      if (isCleanupId(uuid)) {
        const letters = (await readFailedCleanups(redis, uuid)).filter(
          (each) => each.uuid === uuid && each.timestamp === timestampOfId(id),
        );
        if (letters.length > 0) return { result: 'ok', letters };
        const isKnown = (await redis.hget(cleanupKey(uuid), 'accepted')) === id;
        return { result: isKnown ? 'not-dead' : 'unknown', letters };
      }
      const ref: DeadLetterRef = { kind: 'execution', uuid, id };
      if ((await stored([ref])).length === 0) return { result: 'unknown', letters: [] };
      if ((await redis.zscore(KEYS.failed, `${uuid}/${id}`)) === null)
        return { result: 'not-dead', letters: [] };
      return { result: 'ok', letters: await readExecutions(redis, [ref]) };
    },

    /**
     * @param of.uuid those of one hook and of its cleanups, or one cleanup; all when not given
     * @param of.limit how many letters to read; all are counted
     */
    async all(of: { uuid?: string | undefined; limit: number }): Promise<DeadLetterPreview> {
      const { uuid, limit } = of;
      const first: DeadLetterRef[] = [];
      let executions = 0;
      await eachChunk(redis, { uuid, until: Infinity }, async (refs) => {
        const found = await stored(refs.filter(({ kind }) => kind === 'execution'));
        executions += found.length;
        first.push(...found.slice(0, Math.max(0, limit - first.length)));
      });
      const cleanups = await readFailedCleanups(redis, uuid);
      const letters = [...(await readExecutions(redis, first)), ...cleanups].slice(0, limit);
      return { executions, cleanups: cleanups.length, letters };
    },
  };
}
