// The only file of this tool that looks into `hooks`: what waits is put into Redis by the very script that takes
// deliveries in, since a hundred thousand requests would take longer than what is measured.
export {
  createDeliveryStore,
  type DeliveryStore,
} from '../../../apps/hooks/src/executions/delivery-store';
