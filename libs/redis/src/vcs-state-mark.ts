import type { Redis } from 'ioredis';
import { createStateMark } from './state-mark';
import { vcsKeys } from './vcs-keys';

/** Raised when the version before cannot read what this one writes. */
export const VCS_STATE_FORMAT = '1';

/**
 * Makes the function that claims the state of `vcs`. A state without a mark is of an older version,
 * and goes to the first that asks. One with a mark is never taken over for its age, since no list
 * shows whether it has grants.
 * @param owner names of the caller's CDS
 */
export function createVcsStateMark(redis: Redis, owner: readonly string[]) {
  const key = vcsKeys.state;
  return createStateMark(redis, { key, format: VCS_STATE_FORMAT, contents: [key], owner });
}
