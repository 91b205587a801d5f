// What the bench needs of `hooks` from inside, in one place.
export { createCleanupQueue } from '../../../apps/hooks/src/branch-deletions/cleanup-queue';
export { createCleanupStore } from '../../../apps/hooks/src/branch-deletions/cleanup-store';
