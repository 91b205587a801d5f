import { defineScript, replies } from '@cds/redis';
import { BEGUN } from './begun.lua';

/**
 * Saves the progress of the oldest pending execution.
 *
 * Returns `ok` | `lost`: another process holds the lock | `gone`: no longer pending | `stopped`:
 * saved, but the task is stopped
 *
 * A free lock is taken again if the state is as this holder left it: Redis may have lost the lock
 * in a restart. Otherwise another process has processed the hook meanwhile.
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
