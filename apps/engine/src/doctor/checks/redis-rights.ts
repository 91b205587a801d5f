import type { Redis } from 'ioredis';

/** Commands of our scripts and connections, and of BullMQ, that take a key first. */
const ON_KEYS: readonly string[] = `
  DEL EXISTS EXPIRE PEXPIRE PEXPIREAT PERSIST PTTL TYPE UNLINK
  GET SET INCR INCRBY DECR DECRBY
  HDEL HEXISTS HGET HGETALL HINCRBY HKEYS HLEN HMGET HMSET HSCAN HSET HSETNX HVALS
  LINDEX LLEN LPOP LPOS LPUSH LRANGE LREM LSET LTRIM RPOP RPUSH
  SADD SCARD SISMEMBER SMEMBERS SMISMEMBER SREM SSCAN
  ZADD ZCARD ZCOUNT ZLEXCOUNT ZPOPMIN ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZREM ZREMRANGEBYRANK
  ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZSCORE BZPOPMIN XADD XDEL XLEN XRANGE XTRIM
`
  .trim()
  .split(/\s+/);
/** Those with two keys. */
const ON_TWO_KEYS: readonly string[] = ['RENAME', 'RPOPLPUSH'];
const WITHOUT_KEYS: readonly string[] = ['TIME', 'PING', 'MULTI', 'EXEC', 'INFO', 'EVALSHA'];

/** Every command that {@link missingRights} asks about. */
export const NEEDED_COMMANDS = [...ON_KEYS, ...ON_TWO_KEYS, ...WITHOUT_KEYS];

/**
 * Asks Redis from inside of a script whether its user may run each command; runs none of them.
 * https://redis.io/docs/latest/develop/programmability/lua-api/#redis.acl_check_cmd
 */
const MAY_RUN = `
if not redis.acl_check_cmd then return {'not-known'} end
local missing = {'missing'}
for i = 1, #ARGV do
  local name, keys = string.match(ARGV[i], '^(%u+) (%d)$')
  local words = {name}
  if name == 'EVALSHA' then words = {name, string.rep('0', 40), '1', KEYS[1]} end
  -- What some commands take for a value is one more key of others.
  if keys == '1' then words = {name, KEYS[1], KEYS[1], KEYS[1], KEYS[1]} end
  if keys == '2' then words = {name, KEYS[1], KEYS[1]} end
  -- An error: this Redis does not have the command.
  local isThere, may = pcall(redis.acl_check_cmd, unpack(words))
  if isThere and not may then missing[#missing + 1] = name end
end
return missing
`;

/**
 * The commands that the user of Redis may not run on the keys of a service.
 *
 * @param key one of them
 */
export async function missingRights(
  redis: Redis,
  key: string,
): Promise<string[] | 'no-keys' | 'no-scripts' | 'not-known'> {
  const asked = [
    ...ON_KEYS.map((name) => `${name} 1`),
    ...ON_TWO_KEYS.map((name) => `${name} 2`),
    ...WITHOUT_KEYS.map((name) => `${name} 0`),
  ];
  try {
    const [kind, ...missing] = (await redis.eval(MAY_RUN, 1, key, ...asked)) as string[];
    return kind === 'not-known' ? 'not-known' : missing;
  } catch (error) {
    if (!(error instanceof Error) || !/NOPERM/.test(error.message)) throw error;
    return /access (a|one of the) key/.test(error.message) ? 'no-keys' : 'no-scripts';
  }
}
