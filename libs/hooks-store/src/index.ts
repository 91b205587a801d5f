export { DEAD_LETTERS } from './dead-letters.lua';
export {
  type AllMoved,
  createDeadLetters,
  type DeadLetters,
  type Moved,
} from './dead-letters/create-dead-letters';
export {
  type DeadLetter,
  deadLetterSchema,
  type DeadLetterRef,
  repliesOf,
} from './dead-letters/dead-letter';
export { FORGET_CLEANUP } from './forget-cleanup.lua';
export { createReplay, type Replayed } from './replay/create-replay';
export { createResetSignature } from './reset-signature';
export { type Clock, idOfTimestamp, timestampOfId, timestampOfMs } from './clock';
export {
  type ExecutionState,
  NEW_STATE,
  parseState,
  stateOfRetry,
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
  WORKFLOW_INDEX_FIELD,
  workflowHooksKey,
} from './redis-keys';
export { TRIM_HISTORY } from './trim-history.lua';
