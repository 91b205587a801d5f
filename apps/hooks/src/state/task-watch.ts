import { KEYS, repliesOf, type TaskStore } from '@cds/hooks-store';
import { defineScript } from '@cds/redis';
import type { Logger } from '@cds/service';
import type { Redis } from 'ioredis';

/** Tasks that are looked for in one look: all of some thousand in a few minutes. */
const LOOKED_FOR = 200;

/**
 * Counts the deliveries as lost that wait nowhere though the counter of all has them: no hook has
 * work, and none is stopped. What the lists of hooks hold is not lost, though nothing else may know
 * of it any more.
 *
 * Notes when the first of the lost ones was noticed, until they are acknowledged.
 *
 * KEYS waiting-total, pending, stopped, lost-total, lost-since · ARGV deliveries in the lists of all
 * hooks, or "": nobody looked
 * Returns the number of waiting deliveries, of lost ones, 1 where the lists are to be looked at, and
 * since when there are lost ones (µs) or ""
 */
const COUNT_LOST = `
local waiting = tonumber(redis.call('GET', KEYS[1]) or '0')
local look = waiting > 0 and redis.call('EXISTS', KEYS[2], KEYS[3]) == 0
if look and ARGV[1] ~= '' and waiting > tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('INCRBY', KEYS[4], waiting - ARGV[1])
  waiting = tonumber(ARGV[1])
end
local lost = tonumber(redis.call('GET', KEYS[4]) or '0') or 0
local since = redis.call('GET', KEYS[5]) or ''
if lost == 0 and since ~= '' then
  redis.call('DEL', KEYS[5])
  since = ''
elseif lost > 0 and since == '' then
  local time = redis.call('TIME')
  since = time[1] .. string.format('%06d', time[2])
  redis.call('SET', KEYS[5], since)
end
return {waiting, lost, look and 1 or 0, since}
`;

export interface TaskWatchDeps {
  redis: Redis;
  tasks: Pick<TaskStore, 'lookFor'>;
  logger: Logger;
  /** Tasks are missing that were there: the hooks of the API are to be read again. */
  vanished: () => Promise<void>;
}

export type TaskWatch = ReturnType<typeof createTaskWatch>;

/**
 * Looks, in a few short commands, whether something has vanished from a Redis that is there: by
 * FLUSHALL, by DEL, or because Redis was told to evict keys. What waits at a hook that is there is
 * queued again.
 */
export function createTaskWatch({ redis, tasks, logger, vanished }: TaskWatchDeps) {
  const countLost = defineScript(redis, 'cdsbbCountLost', COUNT_LOST, 5);
  let cursor = '0';
  /** As of the last look; undefined before the first. */
  let seen: { waiting: number; lost: number; since: string; cleanups: number } | undefined;
  /**
   * Found missing by the last look. What a reading of the API's hooks does not bring back is not
   * read for again.
   */
  let missedBefore = '';

  /** @returns what is missing, in words for the log; empty when nothing is */
  async function missing(): Promise<string> {
    const counting = redis.pipeline().scard(KEYS.tasks).hvals(KEYS.kinds);
    const [there, kinds] = (await repliesOf(counting)) as [number, string[]];
    const known = kinds.reduce((sum, count) => sum + Number(count), 0);
    const uncounted = known > there ? [`${known - there} of ${known} tasks`] : [];
    const [next, uuids] = await redis.sscan(KEYS.tasks, cursor, 'COUNT', LOOKED_FOR);
    cursor = next;
    const { vanished } = await tasks.lookFor(uuids);
    return [...uncounted, ...vanished].join(', ');
  }

  /**
   * @returns how many deliveries the lists of all hooks hold; undefined where that cannot be told
   */
  async function inLists(): Promise<number | undefined> {
    let waiting = 0;
    let next = '0';
    const looked = new Set<string>();
    do {
      const [after, uuids] = await redis.sscan(KEYS.tasks, next, 'COUNT', LOOKED_FOR);
      next = after;
      const some = uuids.filter((uuid) => !looked.has(uuid));
      for (const uuid of some) looked.add(uuid);
      const found = await tasks.lookFor(some);
      if (found.unreadable > 0) return undefined;
      waiting += found.waiting;
    } while (next !== '0');
    return waiting;
  }

  async function countWith(held: number | '') {
    return (await countLost(
      [KEYS.waitingTotal, KEYS.pending, KEYS.stopped, KEYS.lostTotal, KEYS.lostSince],
      [held],
    )) as [waiting: number, lost: number, look: number, since: string];
  }

  async function count(): Promise<void> {
    const first = await countWith('');
    const held = first[2] === 1 ? await inLists() : undefined;
    const [waiting, lost, , since] = held === undefined ? first : await countWith(held);
    // What was acknowledged meanwhile is not counted any more.
    const known = seen?.since === since ? seen.lost : 0;
    if (seen && lost > known)
      logger.error(
        { deliveries: lost - known, inAll: lost },
        'accepted deliveries vanished from Redis before they were worked off: send them again at Bitbucket',
      );
    seen = { waiting, lost, since, cleanups: await redis.zcard(KEYS.cleanups) };
  }

  return {
    /**
     * Never to be called while the state is not ours.
     * @param isNew whether there was no state at all
     */
    async look(isNew: boolean): Promise<void> {
      if (isNew && seen) {
        logger.error(
          { deliveries: seen.waiting, cleanups: seen.cleanups },
          'Redis was emptied while this service ran: what waited is lost, and the hooks of the API are read again',
        );
        await redis.incrby(KEYS.lostTotal, seen.waiting);
        seen = undefined;
      }
      await count();
      const missed = isNew ? '' : await missing();
      if (missed !== '' && missed !== missedBefore) {
        logger.warn(
          { missing: missed.slice(0, 1_000) },
          'tasks vanished from Redis: the hooks of the API are read again',
        );
        await vanished();
      }
      missedBefore = missed;
    },

    /** Accepted deliveries that vanished, as of the last look. */
    lost: (): number => seen?.lost ?? 0,
  };
}
