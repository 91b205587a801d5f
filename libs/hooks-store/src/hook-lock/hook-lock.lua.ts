import { defineScript, replies } from '@cds/redis';
import { BEGUN } from '../deliveries/begun.lua';

/**
 * Takes the lock of a hook that is free, or whose holder is known to be dead.
 *
 * Returns "" when taken, else the token of its holder
 */
export const CLAIM_HOOK = defineScript({
  name: 'cdsbbClaimHook',
  keys: ['owner'],
  args: ['lockToken', 'dead'],
  reply: replies.text,
  lua: (K, A) => `
local owner = redis.call('GET', ${K.owner})
if owner and owner ~= ${A.lockToken} and owner ~= ${A.dead} then return owner end
redis.call('SET', ${K.owner}, ${A.lockToken})
return ''
`,
});

/** Releases locks, and takes back what was begun under them. */
export const RELEASE_HOOKS = defineScript({
  name: 'cdsbbReleaseHooks',
  keys: [],
  args: ['lockToken', 'ownerPrefix', 'taskPrefix'],
  each: ['uuid'],
  reply: replies.ignored,
  lua: (_K, A, EACH) => `
${BEGUN}
for i = ${EACH.range} do
  local owner = ${A.ownerPrefix} .. ${EACH.uuid}
  -- A key of another type is nobody's, and must not keep the other locks.
  if redis.pcall('GET', owner) == ${A.lockToken} then redis.call('DEL', owner) end
  giveBack(${A.taskPrefix} .. ${EACH.uuid}, ${A.lockToken})
end
return 'ok'
`,
});

/** Counts a heartbeat of this worker. Returns those of all. */
export const HEARTBEAT = defineScript({
  name: 'cdsbbHeartbeat',
  keys: ['beats'],
  args: ['worker'],
  each: ['forgotten'],
  reply: replies.records({ worker: replies.text, beats: replies.text }),
  lua: (K, A, EACH) => `
redis.call('HINCRBY', ${K.beats}, ${A.worker}, 1)
for i = ${EACH.range} do redis.call('HDEL', ${K.beats}, ${EACH.forgotten}) end
return redis.call('HGETALL', ${K.beats})
`,
});
