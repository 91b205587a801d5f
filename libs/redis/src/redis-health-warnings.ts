import type { Redis } from 'ioredis';

/**
 * Lists the dangers to the data in this Redis (no persistence, eviction), each with the setting.
 *
 * Reads INFO where Redis forbids CONFIG (hosted ones do); a sentence says where it forbids both.
 * @throws the connection's errors
 */
export async function redisHealthWarnings(redis: Redis): Promise<string[]> {
  const [persistence, eviction] = await Promise.all([
    persistenceWarning(redis),
    evictionWarning(redis),
  ]);
  return [persistence, eviction].filter((warning) => warning !== undefined);
}

/**
 * Whether this Redis is a node of a cluster; undefined where it forbids INFO. The mode never
 * changes: https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/
 * @throws the connection's errors
 */
export async function isInClusterMode(redis: Redis): Promise<boolean | undefined> {
  const enabled = await redisInfo(redis, 'cluster', 'cluster_enabled');
  return enabled === undefined ? undefined : enabled === '1';
}

/** What endangers what is stored; undefined where nothing does. */
export async function persistenceWarning(redis: Redis): Promise<string | undefined> {
  const setting = await readSetting(redis, 'appendonly');
  if (setting === undefined) {
    const enabled = await redisInfo(redis, 'persistence', 'aof_enabled');
    if (enabled === '1') return undefined;
    return enabled === undefined
      ? unchecked('whether it keeps an append-only file', 'its append-only file (AOF) is on')
      : `Redis keeps no append-only file, so a crash may lose what it accepted last: ${ASK_PROVIDER} its append-only file (AOF) is on`;
  }
  if (setting !== 'no') return undefined;
  const loss =
    (await readSetting(redis, 'save')) === ''
      ? 'keeps nothing on disk, so a restart loses everything in it'
      : 'keeps no append-only file, so a crash loses what came after its last snapshot';
  return `Redis ${loss}: ${howToSet('appendonly', 'yes')}`;
}

/** Whether Redis removes keys when its memory is full; undefined where it does not. */
export async function evictionWarning(redis: Redis): Promise<string | undefined> {
  const setting = await readSetting(redis, 'maxmemory-policy');
  const policy = setting ?? (await redisInfo(redis, 'memory', 'maxmemory_policy'));
  if (policy === 'noeviction') return undefined;
  if (policy === undefined) {
    return unchecked(
      'whether it removes keys when its memory is full',
      'maxmemory-policy is noeviction',
    );
  }
  const todo =
    setting === undefined
      ? `${ASK_PROVIDER} maxmemory-policy is noeviction`
      : howToSet('maxmemory-policy', 'noeviction');
  return `Redis removes keys when its memory is full (maxmemory-policy ${policy}): ${todo}`;
}

const ASK_PROVIDER = 'CONFIG is forbidden here, so see to it in the settings of its host that';

function howToSet(name: string, value: string): string {
  return `set "${name} ${value}" in redis.conf, and now at once with: redis-cli CONFIG SET ${name} ${value}`;
}

function unchecked(what: string, wanted: string): string {
  return `Redis does not tell ${what} (CONFIG and INFO are forbidden), so it could not be checked: see to it that ${wanted}`;
}

async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  return unlessForbidden(async () => (await redis.config('GET', name))[1]);
}

/** A field of INFO; undefined where Redis forbids it, or has no such field. */
export async function redisInfo(
  redis: Redis,
  section: string,
  name: string,
): Promise<string | undefined> {
  // Not `info()`, which makes one up where Redis forbids it.
  const ask = () => redis.call('INFO', section) as Promise<string>;
  const text = (await unlessForbidden(ask)) ?? '';
  return text
    .split('\r\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1);
}

/** Undefined where Redis forbids or renames the command. */
async function unlessForbidden<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw error;
  }
}
