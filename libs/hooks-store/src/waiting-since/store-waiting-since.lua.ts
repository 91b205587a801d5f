import { KEY_TYPES } from '../key-types.lua';
import { WAITING_HEADS } from '../waiting-heads.lua';

/**
 * Notes anew, for each of some hooks, since when the delivery at its head has waited: what an older version left, and
 * what one did that ran beside this one.
 *
 * KEYS heads, stopped heads · ARGV prefix of tasks, of waiting lists, of states, uuid…
 * Returns the uuids of which a key holds another type of value
 */
export const NOTE_HEADS = `
${WAITING_HEADS}
${KEY_TYPES}
local wrong = {}
for i = 4, #ARGV do
  local uuid = ARGV[i]
  local waiting = ARGV[2] .. uuid
  local isRight = isOf(ARGV[1] .. uuid, 'hash') and isOf(waiting, 'list') and isOf(ARGV[3] .. uuid, 'hash')
  local stopped = isRight and redis.call('HGET', ARGV[1] .. uuid, 'stopped')
  if not isRight then
    wrong[#wrong + 1] = uuid
  elseif stopped and redis.call('EXISTS', waiting) == 1 then
    local right, wrong = KEYS[1], KEYS[2]
    if stopped == '1' then right, wrong = wrong, right end
    redis.call('ZREM', wrong, uuid)
    redis.call('ZADD', right, 'NX', 0, uuid)
    headMoved(uuid, waiting, ARGV[3] .. uuid, KEYS[1], KEYS[2])
  else
    redis.call('ZREM', KEYS[1], uuid)
    redis.call('ZREM', KEYS[2], uuid)
  end
end
return wrong
`;
