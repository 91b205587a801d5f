import { defineScript, isWrongType } from '@cds/redis';
import type { Redis } from 'ioredis';
import { cleanupKey, hookKeys, KEYS, unreadableKey } from '../redis-keys';
import { SET_ASIDE, SET_CLEANUP_ASIDE } from './set-aside.lua';

/** A key of Redis that held another type of value than it should, and where its value is now. */
export interface KeySetAside {
  hook?: string;
  cleanup?: string;
  key: string;
  /** As Redis calls it. */
  type: string;
  keptAs: string;
}

/**
 * Runs commands on the keys of one hook, or of one cleanup. When one of its keys holds another type
 * of value, that key is set aside, and the commands are run again: the hook goes on as if the key
 * were not there. No other hook notices. Commands have to be safe to repeat.
 */
export interface Mend {
  hook<T>(uuid: string, work: () => Promise<T>): Promise<T>;
  cleanup<T>(id: string, work: () => Promise<T>): Promise<T>;
}

/** The types of a hook's keys; the script wants the first five in this order. */
const TYPES = {
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
  cleanups: 'hash',
} as const satisfies Record<keyof ReturnType<typeof hookKeys>, string>;

/** Leaves everything as it is. */
export const NO_MEND: Mend = { hook: (_uuid, work) => work(), cleanup: (_id, work) => work() };

/** @param told of each key that was set aside: somebody has to look at what it holds */
export function createMend(deps: { redis: Redis; told: (key: KeySetAside) => void }): Mend {
  const { redis, told } = deps;
  const names = Object.keys(TYPES) as (keyof typeof TYPES)[];
  const hookScript = defineScript(redis, 'cdsbbSetAside', SET_ASIDE, 2 * names.length + 1);
  const cleanupScript = defineScript(redis, 'cdsbbSetCleanupAside', SET_CLEANUP_ASIDE, 5);

  async function setHookAside(uuid: string): Promise<void> {
    const ofHook = hookKeys(uuid);
    const keys = names.map((name) => ofHook[name]);
    const now = Date.now();
    const targets = keys.map((key) => unreadableKey(key, now));
    const renamed = (await hookScript(
      [...keys, ...targets, KEYS.pending],
      [...names.map((name) => TYPES[name]), uuid],
    )) as [index: number, type: string][];
    for (const [index, type] of renamed) {
      const [key = '', keptAs = ''] = [keys[index - 1], targets[index - 1]];
      told({ hook: uuid, key, type, keptAs });
    }
  }

  async function setCleanupAside(id: string): Promise<void> {
    const key = cleanupKey(id);
    const keptAs = unreadableKey(key, Date.now());
    const type = (await cleanupScript(
      [key, keptAs, KEYS.cleanups, KEYS.stoppedCleanups, KEYS.failedCleanups],
      [id],
    )) as string;
    if (type !== '') told({ cleanup: id, key, type, keptAs });
  }

  async function mended<T>(work: () => Promise<T>, setAside: () => Promise<void>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isWrongType(error)) throw error;
      await setAside();
      return work();
    }
  }

  return {
    hook: (uuid, work) => mended(work, () => setHookAside(uuid)),
    cleanup: (id, work) => mended(work, () => setCleanupAside(id)),
  };
}
