import { scrypt } from 'node:crypto';
import type { Redis } from 'ioredis';
import { defineScript } from './define-script';
import { replies } from './script-reply';

/** An owner that was not seen for so long does not run any more. */
export const ALIVE_MS = 60_000;

/** Lua: the clock that all replicas share (ms). */
const NOW = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

/**
 * Says that this service uses the state, if it may; one write and one read, made every few seconds
 * by each replica.
 *
 * `contents`: names of keys of which none exists where there is no state.
 * Returns {`format`, the other format} | {`none`} | {`other`, 1 where there is no state} |
 * {`ours`, 1 when the mark is new, when it was
 * synchronized (ms) or ""}
 *
 * A mark without any state behind it, whose owner was not seen for a minute, is taken over: nothing
 * can be lost.
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
${NOW}
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
for i = ${EACH.range} do redis.call('HSET', ${K.mark}, 'owner:' .. ${EACH.owner}, string.format('%.0f', now)) end
return {'ours', format and 0 or 1, redis.call('HGET', ${K.mark}, 'synchronized') or ''}
`,
  });

/**
 * `format`: another version of this service wrote it. `other`: nothing says that it is this
 * owner's; `isEmpty`: there is no state, but another owner was seen within a minute. `none`: there
 * is none, and `known` makes none.
 */
export type StateClaim =
  | { kind: 'ours'; isNew: boolean; synchronizedAt: number | undefined }
  | { kind: 'other'; isEmpty: boolean }
  | { kind: 'none' }
  | { kind: 'format'; format: string };

/**
 * `known`: only where the state is this owner's. `ask`: also where there is none. `proven`: it was
 * proven to be this owner's. `adopt`: an operator says that it is this owner's alone.
 */
export type ClaimHow = 'known' | 'ask' | 'proven' | 'adopt';

/** Makes the function that claims the state of a service for an owner, in one format. */
export function createStateMark(
  redis: Redis,
  of: {
    key: string;
    format: string;
    /** Of which none exists where there is no state. */
    contents: readonly string[];
    /** Any of them is enough to be known. */
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

/**
 * Names a CDS by the URL of its API and its token. It is no secret: a reader would have to guess
 * the whole token, at some hundredths of a second a guess.
 */
export function stateOwnerOf({ url, token }: { url: string; token: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(token, `cds state of ${url}`, 16, (error, name) => {
      if (error) reject(error);
      else resolve(name.toString('hex'));
    });
  });
}
