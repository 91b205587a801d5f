import type { Redis } from 'ioredis';
import { createStateMark } from './state-mark';
import { vcsKeys } from './vcs-keys';

/** Raised when a version writes what the one before cannot read. */
export const VCS_STATE_FORMAT = '1';

/**
 * Prepares to say whose the state of `vcs` is. What has no mark is of a version before it, and goes
 * to the first that asks; what has one is never taken over for its age, since no list tells whether
 * grants are left.
 *
 * @param owner names of the CDS that the caller works for
 */
export function createVcsStateMark(redis: Redis, owner: readonly string[]) {
  const key = vcsKeys.state;
  return createStateMark(redis, { key, format: VCS_STATE_FORMAT, contents: [key], owner });
}
