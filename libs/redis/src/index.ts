export { connectRedis, type RedisConfigLike, withoutKeyPrefix } from './connect-redis';
export { defineScript, keyArgument, type LuaNames, type Script } from './define-script';
export { replies, type ReplyParser } from './script-reply';
export { createHashStore, type GivenHash, type HashStore, MAX_HASHES } from './hash-store';
export { createMissingRights, type MissingRights } from './missing-rights';
export { isWrongType } from './is-wrong-type';
export { LockTimeoutError } from './lock-timeout-error';
export { createStateMark, stateOwnerOf } from './state-mark';
export { createStateGuard, type StateGuardDeps } from './state-guard';
export { createRunTraces, type RunTraces } from './run-traces';
export { HOOKS_STATE_KEY, vcsKeys } from './vcs-keys';
export { createVcsStateMark, VCS_STATE_FORMAT } from './vcs-state-mark';
export { withLock } from './with-lock';
export { whenReady } from './when-ready';
export { type RedisHealth, watchRedisHealth } from './watch-redis-health';
export { createWrites, type Writes } from './watch-writes';
export { redisNowMs, redisNowUs } from './redis-now';
export { createDueLoop, type DueLoop } from './due-loop';
export { redisRefusal } from './redis-refusal';
export { answeredByRedis, redisBudget } from './redis-deadline';
export {
  evictionWarning,
  isInClusterMode,
  persistenceWarning,
  redisInfo,
} from './redis-health-warnings';
export { whyNoWrites } from './why-no-writes';
export { createGrantCipher, type GrantCipher } from './vcs-grants/grant-cipher';
export { storedGrantSchema } from './vcs-grants/stored-grant';
