/**
 * Lua functions that check key types before a script writes: Redis keeps the writes before a failed
 * command (https://redis.io/docs/latest/develop/programmability/eval-intro/).
 *
 * - `isOf`: whether a key holds a type of value, or nothing.
 * - `wrongTypeOf`: takes a key, its type, a key, its type…; returns the error of the first that
 *   holds another type, or nil.
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
