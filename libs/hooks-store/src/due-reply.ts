import { replies } from '@cds/redis';

const listed = replies.listOf(replies.text);
const records = replies.records({ uuid: replies.text, due: replies.numeral });

/** From {now, uuid, when, uuid, when…} (ms): the clock of Redis, and when each hook is due. */
export function dueReply(reply: unknown): { now: number; due: { uuid: string; due: number }[] } {
  const [now, ...due] = listed(reply);
  return { now: Number(now), due: records(due) };
}
