// The only file of this tool that looks into `hooks`: what waits is put into Redis by the very code that keeps it, since a
// hundred thousand requests would take longer than what is measured.
export { createCleanupQueue } from '../../../apps/hooks/src/branch-deletions/cleanup-queue';
export { createCleanupStore } from '../../../apps/hooks/src/branch-deletions/cleanup-store';
export { createRingAhead } from '../../../apps/hooks/src/branch-deletions/ring-ahead';
export {
  createDeliveryStore,
  type DeliveryStore,
} from '../../../apps/hooks/src/executions/delivery-store';
