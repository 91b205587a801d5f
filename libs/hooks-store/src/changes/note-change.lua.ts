import { defineScript, replies } from '@cds/redis';
/** Changes of a hook that are kept however old they are. */
const KEPT_CHANGES = 1_000;
/**
 * Changes that are younger are kept, too, since the next poll is told of them again: an hour, in µs
 * as ids are.
 */
const YOUNG_US = 3_600 * 1_000_000;
/** More are never kept: `vcs` keeps half as many events of a repository. */
const MAX_CHANGES = 10_000;
/** All are looked through after so many new ones. */
const TRIM_EVERY = 100;

/**
 * Lua: notes what became of a change; the value ends in the id of its execution. Of too many, the
 * oldest give way.
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
 * Notes what became of a change that the head of a hook's list is for. A push also forgets that its
 * branch was deleted.
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
