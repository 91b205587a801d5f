import { defineScript, replies } from '@cds/redis';
import { BEGUN } from './begun.lua';

/**
 * Keeps how far the delivery at the head has come, and tells whether to go on with it.
 *
 * Returns `ok` | `lost` when another one holds the hook | `gone` when the delivery no longer waits
 * | `stopped` (kept, but the task was stopped)
 *
 * A hook that nobody holds is taken again, if its delivery is as this holder left it: Redis may
 * have been restarted and have lost the holder. If it is not, another one was here and has gone
 * already.
 */
export const SAVE_STATE = defineScript({
  name: 'cdsbbSaveState',
  keys: ['task', 'waiting', 'states', 'owner'],
  args: ['lockToken', 'id', 'state', 'before', 'begun'],
  reply: replies.oneOf('ok', 'lost', 'gone', 'stopped'),
  lua: (K, A) => `
${BEGUN}
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} then return 'lost' end
if redis.call('LINDEX', ${K.waiting}, 0) ~= ${A.id} then return 'gone' end
if not owner then
  local state = redis.call('HGET', ${K.states}, ${A.id}) or ''
  if state ~= ${A.before} and state ~= ${A.state} then return 'lost' end
  redis.call('SET', ${K.owner}, ${A.lockToken})
end
redis.call('HSET', ${K.states}, ${A.id}, ${A.state})
writeBegun(${K.task}, ${A.id}, ${A.lockToken}, tonumber(${A.begun}))
if redis.call('HGET', ${K.task}, 'stopped') == '1' then return 'stopped' end
return 'ok'
`,
});
