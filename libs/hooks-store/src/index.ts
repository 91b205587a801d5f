export { createPausedJobs } from './api-outage/paused-jobs';
export * from './changes/change-name';
export { createKnownChanges, type KnownChanges } from './changes/known-changes';
export * from './cleanups/cleanup';
export { type CleanupStore, createCleanupStore } from './cleanups/cleanup-store';
export { findBranchElsewhere } from './cleanups/find-branch-elsewhere';
export * from './cleanups/group-cleanups';
export { type Clock, idOfTimestamp, timestampOfId, timestampOfMs } from './clock';
export { type AllMoved, createDeadLetters, type Moved } from './dead-letters/create-dead-letters';
export { type DeadLetter, type DeadLetterRef, deadLetterSchema } from './dead-letters/dead-letter';
export * from './dead-letters/preview-dead-letters';
export { createDeliveryStore, type DeliveryStore } from './deliveries/delivery-store';
export * from './deliveries/delivery-types';
export {
  type ExecutionState,
  NEW_STATE,
  parseState,
  type PolledChange,
  type StoredExecution,
  toTaskExecution,
} from './execution';
export { createExecutionStore } from './executions/execution-store';
export * from './hook-lock/hook-lock';
export { createImport, type Import, importedName } from './import/create-import';
export { listCleanups } from './lists/cleanup-list';
export { type ListedExecution, listExecutions } from './lists/execution-list';
export { listHistory } from './lists/execution-history';
export * from './lists/pages';
export { listTasks, tasksOfRepository } from './lists/task-list';
export { createLostDeliveries } from './lost-deliveries/lost-deliveries';
export { createStoredCounts, type DueCount } from './monitoring/stored-counts';
export { createOncePerCluster, type OncePerCluster } from './once-per-cluster';
export { type NodeRun, nodeRunSchema, readOutgoingHook } from './outgoing/outgoing-hook';
export { createOutgoingStore, UNUSED_MS } from './outgoing/outgoing-store';
export * from './polls/poll-store';
export * from './pending/pending-store';
export { MAX_HOOKS, pushTarget, reportOf, tasksOf } from './push-report/collect-report';
export { type HookReport, type PushEvent, timeOf } from './push-report/push-report';
export * from './push-report/report-sentences';
export { readSentStatuses } from './push-report/sent-statuses';
export { createQueueStore } from './queues/queue-store';
export { HOOK_QUEUE, hookJobId, jobPrefix, STATE_FORMAT } from './redis-keys';
export {
  createRefusalStore,
  type RefusalStore,
  type StoredRefusal,
} from './refusals/refusal-store';
export * from './replay/create-replay';
export { createResetSignature, isSigned } from './reset-signature';
export * from './schedules/schedule-store';
export * from './service-state';
export { sortGently } from './sort-gently';
export { readExecution } from './stored-execution-text';
export {
  createSynchronizedStore,
  type SynchronizedStore,
} from './synchronization/synchronization-store';
export { traitsOf } from './task-type-traits';
export { createTaskStore, type TaskStore, type TaskToKeep } from './tasks/task-store';
export { isTaskUuid, TASK_UUID } from './tasks/task-uuid';
export { parseJson, readConfig, readTaskConfig } from './unreadable/read-config';
export * from './unreadable/set-aside';
