/**
 * Lua function that checks key types before a script writes: Redis keeps the writes before a failed
 * command (https://redis.io/docs/latest/develop/programmability/eval-intro/). It takes a key, its
 * type, a key, its type…; returns the error of the first that holds another type, or nil.
 */
export const KEY_TYPES = `
local function wrongTypeOf(keys)
  for i = 1, #keys, 2 do
    local is = redis.call('TYPE', keys[i]).ok
    if is ~= keys[i + 1] and is ~= 'none' then
      return redis.error_reply('WRONGTYPE ' .. keys[i] .. ' has to be a ' .. keys[i + 1])
    end
  end
end
`;
