import { defineScript, replies } from '@cds/redis';

/**
 * Counts as lost the deliveries of the counter that are pending nowhere: no hook has pending ones,
 * and none is stopped. Deliveries in the lists of hooks are not lost, even if nothing else has
 * them. `held`: deliveries in the lists of all hooks, or "" where they were not counted.
 *
 * Stores when the first lost one was noticed, until they are acknowledged. Counts nothing in a
 * Redis without the mark of the state: it was emptied a moment ago.
 */
export const COUNT_LOST = defineScript({
  name: 'cdsbbCountLost',
  keys: ['waitingTotal', 'pending', 'stopped', 'lostTotal', 'lostSince', 'mark'],
  args: ['held'],
  reply: (reply) => {
    if (reply === 'empty') return undefined;
    const [waiting, lost, look, since] = reply as [number, number, number, string];
    return {
      ...{ waiting, lost },
      /** Whether to count the lists of all hooks, and to call the script again with the sum. */
      isToLook: look === 1,
      /** When the first lost one was noticed (µs, as Redis has it); "" without any. */
      since,
    };
  },
  lua: (K, A) => `
if redis.call('EXISTS', ${K.mark}) == 0 then return 'empty' end
local waiting = tonumber(redis.call('GET', ${K.waitingTotal}) or '0')
local look = waiting > 0 and redis.call('EXISTS', ${K.pending}, ${K.stopped}) == 0
if look and ${A.held} ~= '' and waiting > tonumber(${A.held}) then
  redis.call('SET', ${K.waitingTotal}, ${A.held})
  redis.call('INCRBY', ${K.lostTotal}, waiting - ${A.held})
  waiting = tonumber(${A.held})
end
local lost = tonumber(redis.call('GET', ${K.lostTotal}) or '0') or 0
local since = redis.call('GET', ${K.lostSince}) or ''
if lost == 0 and since ~= '' then
  redis.call('DEL', ${K.lostSince})
  since = ''
elseif lost > 0 and since == '' then
  local time = redis.call('TIME')
  since = time[1] .. string.format('%06d', time[2])
  redis.call('SET', ${K.lostSince}, since)
end
return {waiting, lost, look and 1 or 0, since}
`,
});

/**
 * Returns the number of lost deliveries and since when, "" without any.
 *
 * Reads and removes in one step: a later loss is counted anew.
 */
export const ACKNOWLEDGE_LOST = defineScript({
  name: 'cdsbbAcknowledgeLost',
  keys: ['lostTotal', 'lostSince'],
  args: [],
  reply: replies.listOf(replies.text),
  lua: (K) => `
local lost, since = redis.call('GET', ${K.lostTotal}), redis.call('GET', ${K.lostSince})
redis.call('DEL', ${K.lostTotal}, ${K.lostSince})
return {lost or '', since or ''}
`,
});
