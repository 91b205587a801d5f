import { redisRefusal } from '@cds/redis';
import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';

/** Why Redis takes no write now; undefined where it takes one. Never rejects. */
export const refusalOfRedis = (redis: Redis): Promise<string | undefined> =>
  redisRefusal(redis, KEYS.ready);
