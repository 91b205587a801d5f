import { createHashStore, type HashStore } from '@cds/redis';
import type { Redis } from 'ioredis';
import { hashesKey } from './redis-keys';

/** The hashes that the API gave to the service of this name. */
export function createRegistrationHashes(redis: Redis, name: string): HashStore {
  return createHashStore(redis, hashesKey(name));
}
