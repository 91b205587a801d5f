import { replies } from '@cds/redis';

/**
 * Lua functions: the clock of Redis, which all replicas share (ms), and the text of a time, whose
 * digits Lua would cut off.
 */
export const NOW = `
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function ms(time)
  return string.format('%.0f', time)
end
`;

const listed = replies.listOf(replies.text);
const records = replies.records({ uuid: replies.text, due: replies.numeral });

/** From {now, uuid, when, uuid, when…} (ms): the clock of Redis, and when each hook is due. */
export function dueReply(reply: unknown): { now: number; due: { uuid: string; due: number }[] } {
  const [now, ...due] = listed(reply);
  return { now: Number(now), due: records(due) };
}
