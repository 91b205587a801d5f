import { redisRefusal } from '@cds/redis';
import type { Redis } from 'ioredis';
import { KEYS } from '../redis-keys';

/** A key of ours that never exists: a write with XX to it changes nothing. */
export const READY_KEY = KEYS.ready;

/** Why Redis takes no write now; undefined where it takes one. Never rejects. */
export const refusalOfRedis = (redis: Redis): Promise<string | undefined> =>
  redisRefusal(redis, READY_KEY);
