import { isWrongType } from '@cds/redis';
import type { Redis } from 'ioredis';
import { cleanupKey, hookKeys, KEYS, unreadableKey, withCommonKeys } from '../redis-keys';
import { asideOf, HOOK_KEYS, SET_ASIDE, SET_CLEANUP_ASIDE } from './set-aside.lua';

/** A key of Redis that held another type of value, and its new name. */
export interface KeySetAside {
  hook?: string;
  cleanup?: string;
  key: string;
  /** As Redis calls it. */
  type: string;
  keptAs: string;
}

/**
 * Runs commands on the keys of one hook or cleanup. Renames a key that holds another type of value,
 * and runs the commands again: the hook works as if the key did not exist, and no other hook
 * notices. Commands must be safe to repeat.
 */
export interface KeyRepair {
  hook<T>(uuid: string, work: () => Promise<T>): Promise<T>;
  cleanup<T>(id: string, work: () => Promise<T>): Promise<T>;
}

/** Repairs nothing. */
export const NO_KEY_REPAIR: KeyRepair = {
  hook: (_uuid, work) => work(),
  cleanup: (_id, work) => work(),
};

/** @param told called for each renamed key: an operator has to look at its value */
export function createKeyRepair(deps: {
  redis: Redis;
  told: (key: KeySetAside) => void;
}): KeyRepair {
  const { redis, told } = deps;
  const setAside = SET_ASIDE.on(redis);
  const setRecordAside = SET_CLEANUP_ASIDE.on(redis);

  async function setHookAside(uuid: string): Promise<void> {
    const keys = hookKeys(uuid);
    const now = Date.now();
    const aside = HOOK_KEYS.map((key) => [asideOf(key), unreadableKey(keys[key], now)] as const);
    const named = Object.fromEntries(aside) as Record<(typeof aside)[number][0], string>;
    const renamed = await setAside({ ...keys, ...named, pending: KEYS.pending }, { uuid });
    for (const [index, type] of renamed) {
      const key = HOOK_KEYS[index - 1];
      if (key) told({ hook: uuid, key: keys[key], type, keptAs: named[asideOf(key)] });
    }
  }

  async function setCleanupAside(id: string): Promise<void> {
    const key = cleanupKey(id);
    const keptAs = unreadableKey(key, Date.now());
    const type = await setRecordAside(withCommonKeys({ record: key, aside: keptAs }), { id });
    if (type !== '') told({ cleanup: id, key, type, keptAs });
  }

  function mendBy(setKeysAside: (name: string) => Promise<void>): KeyRepair['hook'] {
    return async (name, work) => {
      try {
        return await work();
      } catch (error) {
        if (!isWrongType(error)) throw error;
        await setKeysAside(name);
        return work();
      }
    };
  }

  return { hook: mendBy(setHookAside), cleanup: mendBy(setCleanupAside) };
}
