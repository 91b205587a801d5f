import { isWrongType, keyArgument } from '@cds/redis';
import type { Redis } from 'ioredis';
import {
  cleanupKey,
  type HookKey,
  hookKeys,
  recordKeys,
  unreadableKey,
  withCommonKeys,
} from '../redis-keys';
import { SET_ASIDE, SET_CLEANUP_ASIDE } from './set-aside.lua';

/** The types of a hook's keys. */
const HOOK_KEY_TYPES: Record<HookKey, string> = {
  waiting: 'list',
  executions: 'hash',
  done: 'zset',
  dead: 'zset',
  task: 'hash',
  states: 'hash',
  seen: 'zset',
  changes: 'hash',
  refs: 'hash',
  owner: 'string',
  hookCleanups: 'hash',
};

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

  async function setHookAside(hook: string): Promise<void> {
    const keys = hookKeys(hook);
    const now = Date.now();
    const given = Object.entries(HOOK_KEY_TYPES).map(([name, type]) => {
      const key = keys[name as HookKey];
      return { key, type, keptAs: unreadableKey(key, now) };
    });
    const each = given.map(({ key, type, keptAs }) => ({
      ...{ key: keyArgument(key), type, aside: keyArgument(keptAs) },
    }));
    const renamed = await setAside(withCommonKeys(keys), { uuid: hook }, each);
    for (const [index, { key, keptAs }] of given.entries()) {
      const type = renamed[index];
      if (type) told({ hook, key, type, keptAs });
    }
  }

  async function setCleanupAside(id: string): Promise<void> {
    const key = cleanupKey(id);
    const keptAs = unreadableKey(key, Date.now());
    const type = await setRecordAside(recordKeys(id), { id, aside: keyArgument(keptAs) });
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
