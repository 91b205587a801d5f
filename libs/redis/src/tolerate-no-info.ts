import type { Redis } from 'ioredis';
import { hasRedisErrorCode } from './redis-errors';

/**
 * What INFO is taken to say where Redis forbids it: nothing but the oldest version that is
 * supported. ioredis looks for `loading` in it, BullMQ for the version, and neither would start.
 */
const NO_INFO = 'redis_version:6.2.0\r\n';

type Callback = (error: unknown, text?: string) => void;

/** Lets a connection work where an ACL or a hosted Redis forbids INFO. */
export function tolerateNoInfo(connection: Redis): void {
  const ask = connection.info.bind(connection) as (...sections: string[]) => Promise<string>;
  // ioredis itself asks with a callback.
  connection.info = ((...args: (string | Callback)[]) => {
    const callback = args.find((arg) => typeof arg === 'function');
    const sections = args.filter((arg) => typeof arg === 'string');
    const answer = ask(...sections).catch((error: unknown) => {
      if (isForbidden(error)) return NO_INFO;
      throw error;
    });
    if (callback) answer.then((text) => callback(null, text), callback);
    return answer;
  }) as Redis['info'];
}

/** A hosted Redis renames commands instead. */
function isForbidden(error: unknown): boolean {
  if (hasRedisErrorCode(error, 'NOPERM')) return true;
  return error instanceof Error && /^ERR unknown command/i.test(error.message);
}
