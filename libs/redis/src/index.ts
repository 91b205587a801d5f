export {
  connectRedis,
  type LoggerLike,
  type RedisConfigLike,
  type RedisDeps,
  type RedisRole,
} from './connect-redis';
export { defineScript, type RunScript } from './define-script';
export { LockTimeoutError } from './lock-timeout-error';
export { redisHealthWarnings } from './redis-health-warnings';
export { withLock, type LockOptions } from './with-lock';
export { whenReady } from './when-ready';
export { type RedisHealth, watchRedisHealth } from './watch-redis-health';
export { redisNowMs, redisNowUs } from './redis-now';
