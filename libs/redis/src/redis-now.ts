import type { Redis } from 'ioredis';

/** The clock of Redis, one for all replicas (µs). */
export async function redisNowUs(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000_000 + Number(micros);
}

/** The clock of Redis in whole ms. */
export async function redisNowMs(redis: Redis): Promise<number> {
  return Math.floor((await redisNowUs(redis)) / 1_000);
}
