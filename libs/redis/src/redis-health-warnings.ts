import type { Redis } from 'ioredis';

/**
 * What about this Redis endangers what is stored in it, a sentence each, saying what to set. None where
 * Redis forbids CONFIG (hosted ones do), since nothing is known then.
 *
 * @throws The connection's errors.
 */
export async function redisHealthWarnings(redis: Redis): Promise<string[]> {
  const warnings: string[] = [];
  const appendonly = await readSetting(redis, 'appendonly');
  if (appendonly === 'no') {
    const save = await readSetting(redis, 'save');
    const loss =
      save === ''
        ? 'keeps nothing on disk, so a restart loses everything in it'
        : 'keeps no append-only file, so a crash loses what came after its last snapshot';
    warnings.push(`Redis ${loss}: set "appendonly yes" in redis.conf`);
  }
  const policy = await readSetting(redis, 'maxmemory-policy');
  if (policy !== undefined && policy !== 'noeviction') {
    warnings.push(
      `Redis removes keys when its memory is full (maxmemory-policy ${policy}): set "maxmemory-policy noeviction" in redis.conf`,
    );
  }
  return warnings;
}

async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await redis.config('GET', name)) as string[];
    return value;
  } catch (error) {
    // Forbidden or renamed away: Redis answered, but not with the value.
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw error;
  }
}
