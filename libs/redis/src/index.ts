export {
  connectRedis,
  type RedisConfigLike,
  type RedisDeps,
  type RedisRole,
  withoutKeyPrefix,
} from './connect-redis';
export {
  defineScript,
  keyArgument,
  type LuaNames,
  type RunScript,
  type Script,
  type ScriptArgument,
} from './define-script';
export { replies, type ReplyParser, UnexpectedReplyError } from './script-reply';
export { isWrongType } from './is-wrong-type';
export { type LoggerLike } from './logger-like';
export { LockTimeoutError } from './lock-timeout-error';
export { hasRedisErrorCode, type RedisErrorCode } from './redis-errors';
export { type ClaimHow, createStateMark, type StateClaim, stateOwnerOf } from './state-mark';
export {
  createStateGuard,
  type StateGuard,
  type StateGuardDeps,
  type StateStatus,
} from './state-guard';
export { vcsKeys } from './vcs-keys';
export { createVcsStateMark, VCS_STATE_FORMAT } from './vcs-state-mark';
export { redisHealthWarnings } from './redis-health-warnings';
export { withLock, type LockOptions } from './with-lock';
export { whenReady } from './when-ready';
export { type RedisHealth, watchRedisHealth } from './watch-redis-health';
export { createWrites, type Writes } from './watch-writes';
export { redisNowMs, redisNowUs } from './redis-now';
export { createDueLoop, type DueLoop } from './due-loop';
export { answeredByRedis, redisBudget } from './redis-deadline';
