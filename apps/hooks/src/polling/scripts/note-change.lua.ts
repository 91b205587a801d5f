/** More than so many changes of a hook, and the oldest give way until as many are left as the second one says. */
const MOST_CHANGES = 1_100;
const CHANGES_LEFT = 1_000;

/**
 * Lua: notes what became of a change; the value ends in the id of its execution. Looks through all that are kept only when
 * they have become too many, so after every hundredth new one.
 */
export const NOTE_CHANGE = `
local function noteChange(changes, change, value)
  redis.call('HSET', changes, change, value)
  if redis.call('HLEN', changes) <= ${MOST_CHANGES} then return end
  local all = redis.call('HGETALL', changes)
  local aged = {}
  for i = 1, #all, 2 do
    table.insert(aged, {all[i], tonumber(string.match(all[i + 1], '(%d+)$') or '0')})
  end
  table.sort(aged, function(a, b) return a[2] < b[2] end)
  for i = 1, #aged - ${CHANGES_LEFT} do redis.call('HDEL', changes, aged[i][1]) end
end
`;

/**
 * Notes what became of a change that the head of a hook's list is for. A push also forgets that its branch was deleted.
 *
 * KEYS owner, changes · ARGV holder, change or "", value, change to forget or "" · Returns `ok` | `lost`
 */
export const WORKED_OFF_CHANGE = `
${NOTE_CHANGE}
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 'lost' end
if ARGV[4] ~= '' then redis.call('HDEL', KEYS[2], ARGV[4]) end
if ARGV[2] ~= '' then noteChange(KEYS[2], ARGV[2], ARGV[3]) end
return 'ok'
`;
