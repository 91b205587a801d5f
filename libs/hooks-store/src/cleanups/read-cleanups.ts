import { keyArgument } from '@cds/redis';
import type { Redis } from 'ioredis';
import { cleanupKey } from '../redis-keys';
import { type Cleanup, parseCleanup } from './cleanup';
import { READ_CLEANUPS } from './due-cleanups.lua';

/** Reads of one script, so that it does not hold Redis up. */
const READ_AT_ONCE = 500;

/** The cleanups that exist, in the same order. */
export async function readCleanups(redis: Redis, ids: readonly string[]): Promise<Cleanup[]> {
  const cleanups: Cleanup[] = [];
  for (let i = 0; i < ids.length; i += READ_AT_ONCE) {
    const some = ids.slice(i, i + READ_AT_ONCE);
    const keys = some.map((id) => ({ record: keyArgument(cleanupKey(id)) }));
    for (const [index, record] of (await READ_CLEANUPS.on(redis)({}, {}, keys)).entries()) {
      const cleanup = parseCleanup(some[index] ?? '', toObject(record));
      if (cleanup) cleanups.push(cleanup);
    }
  }
  return cleanups;
}

/** From the fields of a hash as a script returns it: field, value, field…. */
function toObject(record: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i + 1 < record.length; i += 2) object[record[i] ?? ''] = record[i + 1] ?? '';
  return object;
}
