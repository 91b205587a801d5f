/**
 * The keys, for specs, tools and the look of the engine's reference at a Redis; not for services.
 */
export {
  BEGUN_FIELD,
  BULL_PREFIX,
  cleanupKey,
  HOOK_QUEUE,
  hookKeys,
  KEYS,
  POLLED_FIELD,
  refusalsKey,
  SIGNED_FIELD,
  workflowHooksKey,
} from './redis-keys';
export { bodyField, fieldsOf } from './stored-execution-text';
