export { type Clock, idOfTimestamp, timestampOfId, timestampOfMs } from './clock';
export {
  type ExecutionState,
  NEW_STATE,
  parseState,
  type StoredExecution,
  toTaskExecution,
} from './execution';
export {
  BULL_PREFIX,
  CLEANUP_PREFIX,
  cleanupKey,
  HOOK_CLEANUPS_PREFIX,
  hookKeys,
  KEYS,
  SIGNED_FIELD,
} from './redis-keys';
export { TRIM_HISTORY } from './trim-history.lua';
