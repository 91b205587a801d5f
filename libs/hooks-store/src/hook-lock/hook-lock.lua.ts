import { defineScript, replies } from '@cds/redis';
import { BEGUN } from '../deliveries/begun.lua';

/**
 * Takes a hook: when nobody holds it, or from a holder that is known to be dead.
 *
 * Returns "" when taken, else who holds it
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

/** Gives hooks back, and what was begun of them. */
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
  -- A key of another type is nobody's, and must not keep the others from being given back.
  if redis.pcall('GET', owner) == ${A.lockToken} then redis.call('DEL', owner) end
  giveBack(${A.taskPrefix} .. ${EACH.uuid}, ${A.lockToken})
end
return 'ok'
`,
});

/**
 * Tells the others that this worker lives, and how often each has told so.
 *
 * Returns worker, beats, worker, beats…
 */
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
