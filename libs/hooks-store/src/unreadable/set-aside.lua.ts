/**
 * Renames those of a hook's keys that hold another type of value than they should, so that the hook
 * goes on without them. The list of executions that wait is made anew of those that have not ended.
 *
 * KEYS the keys of the hook, waiting, executions, done, dead and task first; a new name for each;
 * pending
 * ARGV the type of each key; uuid · Returns {index of a key that was renamed, its type}…
 */
export const SET_ASIDE = `
local count = #ARGV - 1
local renamed = {}
local isListLost = false
for i = 1, count do
  local is = redis.call('TYPE', KEYS[i]).ok
  if is ~= 'none' and is ~= ARGV[i] then
    redis.call('RENAME', KEYS[i], KEYS[count + i])
    renamed[#renamed + 1] = {i, is}
    if i == 1 then isListLost = true end
  end
end
if not isListLost then return renamed end
local ids = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.match(field, '^%d+$') and not redis.call('ZSCORE', KEYS[3], field)
    and not redis.call('ZSCORE', KEYS[4], field) then ids[#ids + 1] = field end
end
table.sort(ids, function(a, b) return tonumber(a) < tonumber(b) end)
for _, id in ipairs(ids) do redis.call('RPUSH', KEYS[1], id) end
if #ids > 0 and redis.call('HGET', KEYS[5], 'stopped') ~= '1' then
  redis.call('SADD', KEYS[2 * count + 1], ARGV[count + 1])
end
return renamed
`;

/**
 * Renames the record of a cleanup that is no hash.
 *
 * KEYS record, a new name for it, cleanups, stopped, failed · ARGV id · Returns its type, or ""
 * when there is nothing to do
 */
export const SET_CLEANUP_ASIDE = `
local is = redis.call('TYPE', KEYS[1]).ok
if is == 'none' or is == 'hash' then return '' end
redis.call('RENAME', KEYS[1], KEYS[2])
for i = 3, 5 do redis.call('ZREM', KEYS[i], ARGV[1]) end
return is
`;
