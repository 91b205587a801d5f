import { createHashStore, createStateMark, type HashStore, redisRefusal } from '@cds/redis';
import type { Redis } from 'ioredis';
import { hashesKey, KEYS, STATE_FORMAT } from './redis-keys';

/** Makes the function that claims the state of `hooks`. @param owner names of the caller's CDS */
export function createHooksStateMark(redis: Redis, owner: readonly string[]) {
  return createStateMark(redis, {
    key: KEYS.mark,
    format: STATE_FORMAT,
    contents: [KEYS.tasks, KEYS.cleanups, KEYS.stoppedCleanups, KEYS.failedCleanups, KEYS.failed],
    owner,
  });
}

/** The hashes that the API gave to the service of this name. */
export function createRegistrationHashes(redis: Redis, name: string): HashStore {
  return createHashStore(redis, hashesKey(name));
}

/** A key of ours that never exists: a write with XX to it changes nothing. */
export const READY_KEY = KEYS.ready;

/** Why Redis takes no write now; undefined where it takes one. Never rejects. */
export const refusalOfRedis = (redis: Redis): Promise<string | undefined> =>
  redisRefusal(redis, READY_KEY);
