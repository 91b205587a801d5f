// The only file of this tool that looks into `hooks`: what waits is put into Redis by the very code
// that keeps it, since a hundred thousand requests would take longer than what is measured.
export { createCleanupQueue } from '../../../apps/hooks/src/queue/cleanup-queue';
export { createCleanupStore } from '@cds/hooks-store';
export { createEnqueueDueCleanups } from '../../../apps/hooks/src/modules/branch-cleanup/enqueue-due-cleanups';
export { createDeliveryStore, type DeliveryStore } from '@cds/hooks-store';
