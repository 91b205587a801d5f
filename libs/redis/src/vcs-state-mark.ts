import type { Redis } from 'ioredis';
import { createStateMark } from './state-mark';
import { vcsKeys } from './vcs-keys';

/** Raised when a version writes what the one before cannot read. */
export const VCS_STATE_FORMAT = '1';

/**
 * Makes the function that claims the state of `vcs`. A state without a mark is of an older version,
 * and goes to the first that asks; one with a mark is never taken over for its age, since no list
 * shows whether grants are left.
 *
 * @param owner names of the CDS that the caller works for
 */
export function createVcsStateMark(redis: Redis, owner: readonly string[]) {
  const key = vcsKeys.state;
  return createStateMark(redis, { key, format: VCS_STATE_FORMAT, contents: [key], owner });
}
