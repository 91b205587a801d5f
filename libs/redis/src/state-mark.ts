import { scrypt } from 'node:crypto';
import type { Redis } from 'ioredis';
import { isConsumerToken } from '@cds/wire';
import { defineScript } from './define-script';
import { replies } from './script-reply';
import { vcsKeys } from './vcs-keys';

/** An owner that was not seen for so long has ended. */
export const ALIVE_MS = 60_000;

/**
 * Claims the state for this service, if allowed. Each replica calls it every few seconds.
 *
 * `contents`: names of keys of which none exists without a state.
 * Returns {`format`, the other format} | {`none`} | {`other`, 1 without a state} | {`ours`, 1 for a
 * new mark, when it was synchronized (ms) or ""}
 *
 * Takes over a mark without a state whose owner was not seen for a minute: nothing can be lost.
 */
const claimState = (contents: readonly string[]) =>
  defineScript({
    name: 'cdsbbClaimState',
    keys: ['mark', ...contents],
    args: ['format', 'how'],
    each: ['owner'],
    reply: replies.variants({
      format: { format: replies.text },
      other: { isEmpty: replies.flag },
      none: {},
      ours: { isNew: replies.flag, synchronizedAt: replies.numeralIfAny },
    }),
    lua: (K, A, EACH) => `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local format = redis.call('HGET', ${K.mark}, 'format')
if format and format ~= ${A.format} then return {'format', format} end
local fields = redis.call('HGETALL', ${K.mark})
local others, known, alive = {}, false, false
for i = 1, #fields, 2 do
  local name = string.match(fields[i], '^owner:(.*)$')
  if name then
    local own = false
    for i = ${EACH.range} do own = own or ${EACH.owner} == name end
    known = known or own
    if not own then
      others[#others + 1] = fields[i]
      alive = alive or now - tonumber(fields[i + 1]) < ${ALIVE_MS}
    end
  end
end
local filled = redis.call('EXISTS', ${contents.map((key) => K[key]).join(', ')}) > 0
if not known and ${A.how} == 'known' then
  if filled or format then return {'other', filled and 0 or 1} end
  return {'none'}
end
if not known and ${A.how} == 'ask' and (filled or (format and alive)) then
  return {'other', filled and 0 or 1}
end
if ${A.how} == 'adopt' or not (known or filled) then
  for _, other in ipairs(others) do redis.call('HDEL', ${K.mark}, other) end
end
redis.call('HSET', ${K.mark}, 'format', ${A.format})
redis.call('HSETNX', ${K.mark}, 'made', string.format('%.0f', now) .. '-' .. time[2])
for i = ${EACH.range} do
  redis.call('HSET', ${K.mark}, 'owner:' .. ${EACH.owner}, string.format('%.0f', now))
end
return {'ours', format and 0 or 1, redis.call('HGET', ${K.mark}, 'synchronized') or ''}
`,
  });

/**
 * `format`: of another version. `other`: nothing proves that it is this owner's; `isEmpty`: no
 * state, but another owner within the last minute. `none`: no state, and `known` makes none.
 */
export type StateClaim =
  | { kind: 'ours'; isNew: boolean; synchronizedAt: number | undefined }
  | { kind: 'other'; isEmpty: boolean }
  | { kind: 'none' }
  | { kind: 'format'; format: string };

/**
 * `known`: only a state of this owner. `ask`: also a missing state. `proven`: proven to be this
 * owner's. `adopt`: an operator gives it to this owner alone.
 */
export type ClaimHow = 'known' | 'ask' | 'proven' | 'adopt';

/** Makes the function that claims the state of a service for an owner. */
export function createStateMark(
  redis: Redis,
  of: {
    key: string;
    format: string;
    /** Keys of which none exists without a state. */
    contents: readonly string[];
    /** Names; one of them is enough. */
    owner: readonly string[];
  },
): (how?: ClaimHow) => Promise<StateClaim> {
  // Their names are their places.
  const contents = of.contents.map((_, index) => `content${index}`);
  const keys: Record<string, string> = { mark: of.key };
  for (const [index, name] of contents.entries()) keys[name] = of.contents[index] ?? '';
  const claim = claimState(contents).on(redis);
  const owner = of.owner.map((name) => ({ owner: name }));
  return (how = 'ask') => claim(keys, { format: of.format, how }, owner);
}

/** Raised when the version before cannot read what this one writes. */
export const VCS_STATE_FORMAT = '1';

/**
 * Makes the function that claims the state of `vcs`. A state without a mark is of an older version,
 * and goes to the first that asks. One with a mark is never taken over for its age, since no list
 * shows whether it has grants.
 * @param owner names of the caller's CDS
 */
export function createVcsStateMark(redis: Redis, owner: readonly string[]) {
  const key = vcsKeys.state;
  return createStateMark(redis, { key, format: VCS_STATE_FORMAT, contents: [key], owner });
}

/**
 * Names a CDS by the URL of its API and a secret of its services: the token, or the webhook key
 * where each replica has a token of its own. It is no secret: a guess takes hundredths of a second.
 * @param o.webhookKey empty or undefined where none is configured
 */
export function stateOwnerOf(o: {
  url: string;
  token: string;
  webhookKey?: string | undefined;
}): Promise<string> {
  const { url, token } = o;
  const secret = (isConsumerToken(token) && o.webhookKey) || token;
  return new Promise((resolve, reject) => {
    scrypt(secret, `cds state of ${url}`, 16, (error, name) => {
      if (error) reject(error);
      else resolve(name.toString('hex'));
    });
  });
}
