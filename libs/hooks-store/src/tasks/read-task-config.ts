import { isWrongType } from '@cds/redis';
import type { HookConfig } from '@cds/wire';
import type { Redis } from 'ioredis';
import { hookKeys } from '../redis-keys';
import { readConfig } from '../unreadable/read-config';

/**
 * The configuration of a task now; null without one.
 * @returns undefined when it is unreadable
 */
export async function readTaskConfig(
  redis: Redis,
  uuid: string,
): Promise<HookConfig | null | undefined> {
  return readConfig(await unlessOfAnotherType(redis.hget(hookKeys(uuid).task, 'config')));
}

/** Null for a key of another type; the next write to the hook repairs it. */
export async function unlessOfAnotherType(read: Promise<string | null>): Promise<string | null> {
  try {
    return await read;
  } catch (error) {
    if (isWrongType(error)) return null;
    throw error;
  }
}
