import { KEYS, PREFIXES } from '../redis-keys';
import { type KeyRepair, NO_KEY_REPAIR } from '../unreadable/set-aside';
import { repliesOf } from '../pipeline-replies';
import type { Redis } from 'ioredis';
import { STORE_WAITING_SINCE } from './store-waiting-since.lua';

/** Hooks that one script looks at, so that none holds Redis up. */
const AT_ONCE = 200;
const SCANNED = 1_000;
/** Of each set those that are looked at anew by each sweep. */
const OLDEST = 50;
const HEADS = [KEYS.waitingSince, KEYS.stoppedWaitingSince];

export type WaitingSince = ReturnType<typeof createWaitingSince>;

/**
 * Since when deliveries wait. The scripts that move deliveries keep it by themselves; here is
 * mended what versions that do not know of it left.
 */
export function createWaitingSince({
  redis,
  keyRepair = NO_KEY_REPAIR,
}: {
  redis: Redis;
  keyRepair?: KeyRepair;
}) {
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
          // What cannot be mended is one hook's alone.
          .catch(() => undefined);
      }
    }
  }

  /** @returns those of which a key holds another type of value */
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
    /** Of every hook that has work or is stopped; after a connection. */
    async noteAll(): Promise<void> {
      await noteAllOf(KEYS.pending);
      await noteAllOf(KEYS.stopped);
    },

    /**
     * Of these hooks and of those that seem to have waited longest: a version from before does not
     * say that they are done.
     */
    async noteAnew(uuids: readonly string[]): Promise<void> {
      const pipeline = redis.pipeline();
      for (const key of HEADS) pipeline.zrange(key, '0', String(OLDEST - 1));
      const oldest = (await repliesOf(pipeline)) as string[][];
      await note([...new Set([...uuids, ...oldest.flat()])]);
    },
  };
}
