import type { Redis } from 'ioredis';

export interface RedisConfigLike {
  password: string;
  address:
    | { kind: 'single'; host: string; port: number }
    | { kind: 'sentinel'; name: string; sentinels: { host: string; port: number }[] };
}
export interface LoggerLike {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
export interface RedisDeps {
  redis: RedisConfigLike;
  logger: LoggerLike;
  name: string;
}
export interface LockOptions {
  ttlMs: number;
  waitMs: number;
  pollMs?: number;
  signal?: AbortSignal;
}
export type RunScript = (keys: string[], args: (string | number)[]) => Promise<unknown>;
export declare function connectRedis(deps: RedisDeps, role: 'client' | 'worker'): Redis;
export declare function defineScript(
  redis: Redis,
  name: string,
  lua: string,
  numberOfKeys: number,
): RunScript;
export declare function withLock<T>(
  redis: Redis,
  key: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T>;
export declare class LockTimeoutError extends Error {}
export declare function redisHealthWarnings(redis: Redis): Promise<string[]>;
