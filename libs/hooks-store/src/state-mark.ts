import { createStateMark } from '@cds/redis';
import type { Redis } from 'ioredis';
import { KEYS, STATE_FORMAT } from './redis-keys';

/**
 * Prepares to say whose the state of `hooks` is. @param owner names of the CDS that the caller
 * works for
 */
export function createHooksStateMark(redis: Redis, owner: readonly string[]) {
  return createStateMark(redis, {
    key: KEYS.mark,
    format: STATE_FORMAT,
    contents: [KEYS.tasks, KEYS.cleanups, KEYS.stoppedCleanups, KEYS.failedCleanups, KEYS.failed],
    owner,
  });
}
