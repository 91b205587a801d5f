export { READY_KEY, refusalOfRedis } from './monitoring/refusal-of-redis';
export { createPausedJobs } from './api-outage/paused-jobs';
export {
  branchRef,
  changeName,
  BRANCH_PREFIX,
  refOf,
  comparedHash,
  shortRef,
  tagRef,
} from './changes/change-name';
export { createKnownChanges, type KnownChanges } from './changes/known-changes';
export {
  type Cleanup,
  cleanupExecution,
  cleanupId,
  cleanupTask,
  isCleanupId,
  olderCleanupId,
  parseCleanup,
} from './cleanups/cleanup';
export { type CleanupStore, createCleanupStore } from './cleanups/cleanup-store';
export { findBranchElsewhere } from './cleanups/find-branch-elsewhere';
export { endOfMoment, groupByMoment, type NearCleanup } from './cleanups/group-cleanups';
export { type Clock, idOfTimestamp, timestampOfId, timestampOfMs } from './clock';
export { type AllMoved, createDeadLetters, type Moved } from './dead-letters/create-dead-letters';
export { type DeadLetter, type DeadLetterRef, deadLetterSchema } from './dead-letters/dead-letter';
export {
  createDeadLetterPreview,
  type DeadLetterPreview,
} from './dead-letters/preview-dead-letters';
export type {
  DeliveryPlan,
  DeliveryStep,
  JudgedChanges,
  RefChange,
} from './deliveries/delivery-plan';
export { createDeliveryStore, type DeliveryStore } from './deliveries/delivery-store';
export type {
  AbsentHook,
  Acceptance,
  DeliveryToAccept,
  DeliveryToPlan,
  PendingExecution,
  HookOnFile,
  PlanDelivery,
  Saved,
  TakenExecution,
} from './deliveries/delivery-types';
export {
  type ExecutionState,
  NEW_STATE,
  parseState,
  type PolledChange,
  type StoredExecution,
  toTaskExecution,
} from './execution';
export { createExecutionStore } from './executions/execution-store';
export {
  type HeldLock,
  type HeldLocks,
  createHookLock,
  type HookLock,
} from './hook-lock/hook-lock';
export { createImport, type Import, importedName } from './import/create-import';
export { listCleanups } from './lists/cleanup-list';
export { readCleanupOf } from './lists/cleanup-of-branch';
export { type HookQueueState, readHookQueue } from './lists/hook-queue-state';
export { type ListedExecution, listExecutions } from './lists/execution-list';
export { listHistory, type PastExecution } from './lists/execution-history';
export {
  type CleanupSet,
  type HookOrder,
  pageOfCleanups,
  pageOfHooks,
  scanTasks,
} from './lists/pages';
export { listTasks, tasksOfRepository } from './lists/task-list';
export { createLostDeliveries } from './lost-deliveries/lost-deliveries';
export { createStoredCounts, type DueCount } from './monitoring/stored-counts';
export { createOncePerCluster, type OncePerCluster } from './once-per-cluster';
export { type NodeRun, nodeRunSchema, readOutgoingHook } from './outgoing/outgoing-hook';
export { createOutgoingStore, type OutgoingStore, UNUSED_MS } from './outgoing/outgoing-store';
export { DEFAULT_DELAY_MS, pollDelayMs, REFUSED_DELAY_MS } from './polls/poll-delay';
export {
  createPollStore,
  type DuePoll,
  type EndedPoll,
  type PollStore,
  type TakenPoll,
} from './polls/poll-store';
export { createPendingStore, type ParsedExecution } from './pending/pending-store';
export { createRequeueTurn } from './pending/requeue-turn';
export { MAX_HOOKS, reportOf, tasksOf } from './push-report/collect-report';
export { type HookReport, type PushEvent, timeOf } from './push-report/push-report';
export {
  type Held,
  nextSteps,
  queueSentence,
  refusalAdvice,
  refusalSentence,
  resultSentence,
  shortTime,
} from './push-report/report-sentences';
export { pushTarget } from './push-report/push-target';
export { readSentStatuses } from './push-report/sent-statuses';
export { createQueueStore } from './queues/queue-store';
export { HOOK_QUEUE, jobPrefix, STATE_FORMAT } from './redis-keys';
export {
  createRefusalStore,
  type RefusalStore,
  type StoredRefusal,
} from './refusals/refusal-store';
export { createRegistrationHashes } from './registration-hashes';
export {
  createReplay,
  previewReplay,
  type Replayed,
  type ReplayPreview,
} from './replay/create-replay';
export { createResetSignature, isSigned } from './reset-signature';
export { type Occurrence, scheduledTask } from './schedules/occurrence';
export {
  createScheduleStore,
  type DueScheduler,
  type ReadScheduler,
  type ScheduleStore,
} from './schedules/schedule-store';
export { sortGently } from './sort-gently';
export { createHooksStateMark } from './state-mark';
export { readExecution } from './stored-execution-text';
export {
  createSynchronizedStore,
  type SynchronizedStore,
} from './synchronization/synchronization-store';
export { readTaskConfig } from './tasks/read-task-config';
export { createTaskStore, type TaskStore, type TaskToKeep } from './tasks/task-store';
export { isTaskUuid, TASK_UUID } from './tasks/task-uuid';
export { whyNotServed } from './tasks/why-not-served';
export { parseJson, readConfig } from './unreadable/read-config';
export {
  createKeyRepair,
  type KeySetAside,
  type KeyRepair,
  NO_KEY_REPAIR,
} from './unreadable/set-aside';
export { createWaitingSince, type WaitingSince } from './waiting-since/waiting-since';
