import { scrypt } from 'node:crypto';
import type { Redis } from 'ioredis';
import { defineScript } from './define-script';

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
 * KEYS mark, then keys of which none exists where there is no state · ARGV format, how (`known`,
 * `ask`, `proven`, `adopt`), names of the owner…
 * Returns {`format`, the other format} | {`none`} | {`other`, 1 where there is no state} |
 * {`ours`, 1 when the mark is new, when it was
 * synchronized (ms) or ""}
 *
 * A mark without any state behind it, whose owner was not seen for a minute, is taken over: nothing
 * can be lost.
 */
const CLAIM_STATE = `
${NOW}
local format = redis.call('HGET', KEYS[1], 'format')
if format and format ~= ARGV[1] then return {'format', format} end
local fields = redis.call('HGETALL', KEYS[1])
local others, known, alive = {}, false, false
for i = 1, #fields, 2 do
  local name = string.match(fields[i], '^owner:(.*)$')
  if name then
    local own = false
    for j = 3, #ARGV do own = own or ARGV[j] == name end
    known = known or own
    if not own then
      others[#others + 1] = fields[i]
      alive = alive or now - tonumber(fields[i + 1]) < ${ALIVE_MS}
    end
  end
end
local filled = false
for i = 2, #KEYS do filled = filled or redis.call('EXISTS', KEYS[i]) == 1 end
if not known and ARGV[2] == 'known' then
  if filled or format then return {'other', filled and 0 or 1} end
  return {'none'}
end
if not known and ARGV[2] == 'ask' and (filled or (format and alive)) then
  return {'other', filled and 0 or 1}
end
if ARGV[2] == 'adopt' or not (known or filled) then
  for _, other in ipairs(others) do redis.call('HDEL', KEYS[1], other) end
end
redis.call('HSET', KEYS[1], 'format', ARGV[1])
redis.call('HSETNX', KEYS[1], 'made', string.format('%.0f', now) .. '-' .. time[2])
for j = 3, #ARGV do redis.call('HSET', KEYS[1], 'owner:' .. ARGV[j], string.format('%.0f', now)) end
return {'ours', format and 0 or 1, redis.call('HGET', KEYS[1], 'synchronized') or ''}
`;

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
  const keys = [of.key, ...of.contents];
  const script = defineScript(redis, 'cdsbbClaimState', CLAIM_STATE, keys.length);
  return async (how = 'ask') => {
    const reply = (await script(keys, [of.format, how, ...of.owner])) as
      ['format', string] | ['other', number] | ['none'] | ['ours', number, string];
    switch (reply[0]) {
      case 'format':
        return { kind: 'format', format: reply[1] };
      case 'other':
        return { kind: 'other', isEmpty: reply[1] === 1 };
      case 'none':
        return { kind: 'none' };
      case 'ours': {
        const [, isNew, synchronized] = reply;
        const synchronizedAt = synchronized === '' ? undefined : Number(synchronized);
        return { kind: 'ours', isNew: isNew === 1, synchronizedAt };
      }
    }
  };
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
