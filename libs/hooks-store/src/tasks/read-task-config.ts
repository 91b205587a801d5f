import { isWrongType } from '@cds/redis';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { hookKeys } from '../redis-keys';
import { readConfig } from '../unreadable/read-config';

/**
 * The configuration of a task now; null where there is none.
 *
 * @returns undefined when it cannot be read
 */
export async function readTaskConfig(
  redis: Redis,
  uuid: string,
): Promise<HookConfig | null | undefined> {
  return readConfig(await unlessOfAnotherType(redis.hget(hookKeys(uuid).task, 'config')));
}

/** A key that holds another type of value is set aside by the next one that writes to the hook. */
export async function unlessOfAnotherType(read: Promise<string | null>): Promise<string | null> {
  try {
    return await read;
  } catch (error) {
    if (isWrongType(error)) return null;
    throw error;
  }
}
