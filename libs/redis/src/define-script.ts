import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import { hasRedisErrorCode } from './redis-errors';

/**
 * A key, or what keys begin with, that a script gets among its arguments; made by {@link
 * keyArgument}.
 */
export class KeyArgument {
  constructor(readonly key: string) {}
}

/**
 * Names a key, or a prefix of keys, among the arguments of a script. The key prefix of the
 * connection is put before it, as ioredis puts it before KEYS: a plain text would name a key of
 * another user of this Redis.
 */
export function keyArgument(key: string): KeyArgument {
  return new KeyArgument(key);
}

export type ScriptArgument = string | number | Buffer | KeyArgument;

/** Runs a script: its keys, then its other arguments; returns what the script returns. */
export type RunScript = (keys: string[], args: ScriptArgument[]) => Promise<unknown>;

/**
 * Prepares a Lua script: it is sent by its digest, and whole only to a Redis that does not know it
 * yet (new, restarted, failed over).
 *
 * @param name Named in errors.
 * @param numberOfKeys How many keys each call must give.
 */
export function defineScript(
  redis: Redis,
  name: string,
  lua: string,
  numberOfKeys: number,
): RunScript {
  const digest = createHash('sha1').update(lua).digest('hex');
  const keyPrefix = redis.options.keyPrefix ?? '';
  return async (keys, withKeys) => {
    if (keys.length !== numberOfKeys) {
      throw new Error(`Script ${name} takes ${numberOfKeys} keys, not ${keys.length}`);
    }
    const args = withKeys.map((arg) => (arg instanceof KeyArgument ? keyPrefix + arg.key : arg));
    try {
      return await redis.evalsha(digest, numberOfKeys, ...keys, ...args);
    } catch (error) {
      // Nothing has been run: Redis refuses before it begins.
      if (hasRedisErrorCode(error, 'NOSCRIPT')) {
        return await redis.eval(lua, numberOfKeys, ...keys, ...args);
      }
      throw error;
    }
  };
}
