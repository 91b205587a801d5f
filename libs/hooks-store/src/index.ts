export {
  type Cleanup,
  cleanupExecution,
  cleanupId,
  cleanupTask,
  isCleanupId,
  olderCleanupId,
  parseCleanup,
} from './cleanups/cleanup';
export * from './cleanups/cleanup-scripts.lua';
export { BEGIN_DUE_CLEANUPS, DUE_WITHIN, READ_CLEANUPS } from './cleanups/due-cleanups.lua';
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
  readableOf,
  repliesOf,
} from './dead-letters/dead-letter';
export { FORGET_CLEANUP } from './forget-cleanup.lua';
export {
  type CleanupImport,
  createImport,
  type DeliveryImport,
  type Import,
  type ImportedCleanup,
  type ImportedDelivery,
  type ImportedTask,
  importedName,
} from './import/create-import';
export { KEY_TYPES } from './key-types.lua';
export { listCleanups } from './lists/cleanup-list';
export { listExecutions, type ListedExecution } from './lists/execution-list';
export { listTasks, type TaskList } from './lists/task-list';
export { createReplay, type Replayed } from './replay/create-replay';
export { createAcknowledgeLost } from './acknowledge-lost';
export { createResetSignature } from './reset-signature';
export { type Clock, idOfTimestamp, timestampOfId, timestampOfMs } from './clock';
export {
  type ExecutionState,
  NEW_STATE,
  parseState,
  type PolledChange,
  stateOfRetry,
  type StoredExecution,
  toTaskExecution,
} from './execution';
export {
  BULL_PREFIX,
  CLEANUP_PREFIX,
  cleanupKey,
  hashesKey,
  HOOK_CLEANUPS_PREFIX,
  hookKeys,
  KEYS,
  MADE_FIELD,
  OWNER_PREFIX,
  REFS_PREFIX,
  POLL_ERROR_FIELD,
  POLLED_FIELD,
  SCHEDULE_FIELD,
  BEGUN_FIELD,
  SIGNED_FIELD,
  STATE_FORMAT,
  STATE_PREFIX,
  SYNCHRONIZED_FIELD,
  TASK_PREFIX,
  WAITING_PREFIX,
  WORKFLOW_INDEX_FIELD,
  workflowHooksKey,
} from './redis-keys';
export { createHooksStateMark } from './state-mark';
export { byCodeUnits, sortGently } from './sort-gently';
export { whyNotServed } from './tasks/why-not-served';
export { createTaskStore, type TaskStore, type TaskToKeep } from './tasks/task-store';
export { COUNT_KIND } from './tasks/task-scripts.lua';
export { isTaskUuid, TASK_UUID } from './tasks/task-uuid';
export { TRIM_HISTORY } from './trim-history.lua';
export { UnreadableExecutionError } from './unreadable/check-execution';
export { readConfig } from './unreadable/read-config';
export { createMend, type KeySetAside, type Mend, NO_MEND } from './unreadable/set-aside';
export { WAITING_HEADS } from './waiting-heads.lua';
export {
  bodyField,
  fieldsOf,
  type KeptBody,
  readExecution,
  readWithBody,
  writeExecution,
} from './stored-execution-text';
