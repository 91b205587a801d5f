/**
 * Lua functions for what has to be known before a script writes: Redis keeps what a script wrote
 * before a command of it failed (https://redis.io/docs/latest/develop/programmability/eval-intro/),
 * so half of its work would be done.
 *
 * `isOf`: whether a key holds a type of value, or nothing.
 * `wrongTypeOf`: takes a key, its type, a key, its type…; returns the error for the first that
 *   holds another one, or nil.
 */
export const KEY_TYPES = `
local function isOf(key, expected)
  local is = redis.call('TYPE', key).ok
  return is == expected or is == 'none'
end
local function wrongTypeOf(keys)
  for i = 1, #keys, 2 do
    if not isOf(keys[i], keys[i + 1]) then
      return redis.error_reply('WRONGTYPE ' .. keys[i] .. ' has to be a ' .. keys[i + 1])
    end
  end
end
`;
