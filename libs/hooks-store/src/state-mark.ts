import { createStateMark } from '@cds/redis';
import type { Redis } from 'ioredis';
import { KEYS, STATE_FORMAT } from './redis-keys';

/** Makes the function that claims the state of `hooks`. @param owner names of the caller's CDS */
export function createHooksStateMark(redis: Redis, owner: readonly string[]) {
  return createStateMark(redis, {
    key: KEYS.mark,
    format: STATE_FORMAT,
    contents: [KEYS.tasks, KEYS.cleanups, KEYS.stoppedCleanups, KEYS.failedCleanups, KEYS.failed],
    owner,
  });
}
