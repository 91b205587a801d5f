import { BEGUN } from '../deliveries/begun.lua';

/**
 * Takes a hook: when nobody holds it, or from a holder that is known to be dead.
 *
 * KEYS owner · ARGV holder, the dead holder or "" · Returns "" when taken, else who holds it
 */
export const CLAIM_HOOK = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] and owner ~= ARGV[2] then return owner end
redis.call('SET', KEYS[1], ARGV[1])
return ''
`;

/**
 * Gives hooks back, and what was begun of them. KEYS none · ARGV holder, prefix of owners, prefix
 * of tasks, uuid…
 */
export const RELEASE_HOOKS = `
${BEGUN}
for i = 4, #ARGV do
  local owner = ARGV[2] .. ARGV[i]
  -- A key of another type is nobody's, and must not keep the others from being given back.
  if redis.pcall('GET', owner) == ARGV[1] then redis.call('DEL', owner) end
  giveBack(ARGV[3] .. ARGV[i], ARGV[1])
end
return 'ok'
`;

/**
 * Tells the others that this worker lives, and how often each has told so.
 *
 * KEYS beats · ARGV worker, workers to forget… · Returns worker, beats, worker, beats…
 */
export const BEAT = `
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
for i = 2, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return redis.call('HGETALL', KEYS[1])
`;
