import { defineScript, replies } from '@cds/redis';

/** Changes of a hook that are kept at any age. */
const KEPT_CHANGES = 1_000;
/** Younger changes are kept too, since the next poll returns them again: an hour, in µs as ids. */
const YOUNG_US = 3_600 * 1_000_000;
/** A bound on all: `vcs` keeps half as many events of a repository. */
const MAX_CHANGES = 10_000;
/** New changes between two removals of old ones. */
const TRIM_EVERY = 100;

/**
 * Lua function: stores the result of a change, which ends in the id of its execution, and removes
 * the oldest of too many.
 */
export const NOTE_CHANGE = `
local function noteChange(changes, change, value)
  redis.call('HSET', changes, change, value)
  local count = redis.call('HLEN', changes)
  if count <= ${KEPT_CHANGES} or count % ${TRIM_EVERY} ~= 0 then return end
  local young = tonumber(string.match(value, '(%d+)$')) - ${YOUNG_US}
  local all = redis.call('HGETALL', changes)
  local aged = {}
  for i = 1, #all, 2 do
    table.insert(aged, {all[i], tonumber(string.match(all[i + 1], '(%d+)$') or '0')})
  end
  table.sort(aged, function(a, b) return a[2] < b[2] end)
  for i = 1, count - ${KEPT_CHANGES} do
    if aged[i][2] >= young and count - i < ${MAX_CHANGES} then return end
    redis.call('HDEL', changes, aged[i][1])
  end
end
`;

/**
 * Stores the result of a change of the oldest pending execution. A push also forgets the deletion
 * of its branch.
 */
export const STORE_CHANGE = defineScript({
  name: 'cdsbbStoreChange',
  keys: ['owner', 'changes'],
  args: ['lockToken', 'change', 'value', 'forgotten'],
  reply: replies.oneOf('ok', 'lost'),
  lua: (K, A) => `
${NOTE_CHANGE}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return 'lost' end
if ${A.forgotten} ~= '' then redis.call('HDEL', ${K.changes}, ${A.forgotten}) end
if ${A.change} ~= '' then noteChange(${K.changes}, ${A.change}, ${A.value}) end
return 'ok'
`,
});
