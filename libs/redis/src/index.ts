export { connectRedis, type RedisConfigLike, withoutKeyPrefix } from './connect-redis';
export {
  defineScript,
  keyArgument,
  type LuaNames,
  type ReplyOf,
  type Script,
} from './define-script';
export { replies, type ReplyParser } from './script-reply';
export { createHashStore, type GivenHash, type HashStore, MAX_HASHES } from './hash-store';
export { createMissingRights, type MissingRights } from './missing-rights';
export { isWrongType } from './redis-errors';
export { createStateMark, createVcsStateMark, stateOwnerOf, VCS_STATE_FORMAT } from './state-mark';
export { createStateGuard, type StateGuardDeps } from './state-guard';
export { createRunTraces, type RunTraces } from './run-traces';
export { HOOKS_STATE_KEY, vcsKeys } from './vcs-keys';
export { LockTimeoutError, withLock } from './with-lock';
export { whenReady } from './when-ready';
export { type RedisHealth, watchRedisHealth } from './watch-redis-health';
export { createWrites, redisRefusal, whyNoWrites, type Writes } from './writes';
export { redisNowMs, redisNowUs } from './redis-now';
export { createDueLoop } from './due-loop';
export { answeredByRedis, redisBudget } from './redis-deadline';
export {
  evictionWarning,
  isInClusterMode,
  persistenceWarning,
  redisInfo,
} from './redis-health-warnings';
export { createGrantCipher, type GrantCipher, storedGrantSchema } from './vcs-grants';
