import { defineScript, replies } from '@cds/redis';
import type { HookKey } from '../redis-keys';

/** The types of a hook's keys. */
export const HOOK_KEY_TYPES = {
  waiting: 'list',
  executions: 'hash',
  done: 'zset',
  dead: 'zset',
  task: 'hash',
  states: 'hash',
  seen: 'zset',
  changes: 'hash',
  refs: 'hash',
  owner: 'string',
  hookCleanups: 'hash',
} as const satisfies Record<HookKey, string>;

export const HOOK_KEYS = Object.keys(HOOK_KEY_TYPES) as HookKey[];

/** The new name of a key that is renamed. */
export const asideOf = <K extends HookKey>(key: K): `${K}Aside` => `${key}Aside`;

/**
 * Renames the keys of a hook that hold another type of value, so that the hook works without them.
 * Rebuilds the list of pending executions from those that have not ended.
 *
 * Returns {index of a renamed key, its type}…
 */
export const SET_ASIDE = defineScript({
  name: 'cdsbbSetAside',
  keys: [...HOOK_KEYS, ...HOOK_KEYS.map(asideOf), 'pending'],
  args: ['uuid'],
  reply: replies.listOf((reply) => reply as [index: number, type: string]),
  lua: (K, A) => `
local renamed = {}
local isListLost = false
for i, expected in ipairs({${HOOK_KEYS.map((key) => `'${HOOK_KEY_TYPES[key]}'`).join(', ')}}) do
  local is = redis.call('TYPE', KEYS[i]).ok
  if is ~= 'none' and is ~= expected then
    redis.call('RENAME', KEYS[i], KEYS[${HOOK_KEYS.length} + i])
    renamed[#renamed + 1] = {i, is}
    if KEYS[i] == ${K.waiting} then isListLost = true end
  end
end
if not isListLost then return renamed end
local ids = {}
for _, field in ipairs(redis.call('HKEYS', ${K.executions})) do
  if string.match(field, '^%d+$') and not redis.call('ZSCORE', ${K.done}, field)
    and not redis.call('ZSCORE', ${K.dead}, field) then ids[#ids + 1] = field end
end
table.sort(ids, function(a, b) return tonumber(a) < tonumber(b) end)
for _, id in ipairs(ids) do redis.call('RPUSH', ${K.waiting}, id) end
if #ids > 0 and redis.call('HGET', ${K.task}, 'stopped') ~= '1' then
  redis.call('SADD', ${K.pending}, ${A.uuid})
end
return renamed
`,
});

/**
 * Renames the record of a cleanup that is no hash.
 *
 * Returns its type, or "" when there is nothing to do
 */
export const SET_CLEANUP_ASIDE = defineScript({
  name: 'cdsbbSetCleanupAside',
  keys: ['record', 'aside', 'cleanups', 'stoppedCleanups', 'failedCleanups'],
  args: ['id'],
  reply: replies.text,
  lua: (K, A) => `
local is = redis.call('TYPE', ${K.record}).ok
if is == 'none' or is == 'hash' then return '' end
redis.call('RENAME', ${K.record}, ${K.aside})
for _, set in ipairs({${K.cleanups}, ${K.stoppedCleanups}, ${K.failedCleanups}}) do redis.call('ZREM', set, ${A.id}) end
return is
`,
});
