import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';

/** Runs a script: its keys, then its other arguments; returns what the script returns. */
export type RunScript = (keys: string[], args: (string | number | Buffer)[]) => Promise<unknown>;

/**
 * Prepares a Lua script: it is sent by its digest, and whole only to a Redis that does not know it yet
 * (new, restarted, failed over).
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
  return async (keys, args) => {
    if (keys.length !== numberOfKeys) {
      throw new Error(`Script ${name} takes ${numberOfKeys} keys, not ${keys.length}`);
    }
    try {
      return await redis.evalsha(digest, numberOfKeys, ...keys, ...args);
    } catch (error) {
      // Nothing has been run: Redis refuses before it begins.
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) {
        return await redis.eval(lua, numberOfKeys, ...keys, ...args);
      }
      throw error;
    }
  };
}
