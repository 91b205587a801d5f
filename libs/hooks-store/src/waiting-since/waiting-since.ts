import { KEYS, PREFIXES } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { repliesOf } from '../pipeline-replies';
import type { Redis } from 'ioredis';
import { STORE_WAITING_SINCE } from './store-waiting-since.lua';

/** Hooks of one script, so that it does not hold Redis up. */
const AT_ONCE = 200;
const SCANNED = 1_000;
/** Hooks of each set that each sweep checks again. */
const OLDEST = 50;
const HEADS = [KEYS.waitingSince, KEYS.stoppedWaitingSince];

export type WaitingSince = ReturnType<typeof createWaitingSince>;

/**
 * Since when executions are pending. The scripts that move executions store it; this backfills what
 * older versions left.
 */
export function createWaitingSince(deps: { redis: Redis; keyRepair?: KeyRepair }) {
  const { redis, keyRepair = NO_KEY_REPAIR } = deps;
  const storeWaitingSince = STORE_WAITING_SINCE.on(redis);

  async function note(uuids: readonly string[]): Promise<void> {
    for (let i = 0; i < uuids.length; i += AT_ONCE) {
      const wrong = await noteSome(uuids.slice(i, i + AT_ONCE));
      for (const uuid of wrong) {
        await keyRepair
          .hook(uuid, async () => {
            if ((await noteSome([uuid])).length > 0)
              throw new Error('WRONGTYPE of a key of a hook');
          })
          // A hook that cannot be repaired does not stop the others.
          .catch(() => undefined);
      }
    }
  }

  /** @returns those with a key of another type */
  async function noteSome(uuids: readonly string[]): Promise<string[]> {
    return storeWaitingSince(
      KEYS,
      PREFIXES,
      uuids.map((uuid) => ({ uuid })),
    );
  }

  async function noteAllOf(key: string): Promise<void> {
    let cursor = '0';
    do {
      const [next, uuids] = await redis.sscan(key, cursor, 'COUNT', SCANNED);
      cursor = next;
      await note(uuids);
    } while (cursor !== '0');
  }

  return {
    /** Of every hook that is pending or stopped; after a connection. */
    async noteAll(): Promise<void> {
      await noteAllOf(KEYS.pending);
      await noteAllOf(KEYS.stopped);
    },

    /**
     * Of these hooks and of those that seem to wait longest: an older version does not remove them.
     */
    async noteAnew(uuids: readonly string[]): Promise<void> {
      const pipeline = redis.pipeline();
      for (const key of HEADS) pipeline.zrange(key, '0', String(OLDEST - 1));
      const oldest = (await repliesOf(pipeline)) as string[][];
      await note([...new Set([...uuids, ...oldest.flat()])]);
    },
  };
}
