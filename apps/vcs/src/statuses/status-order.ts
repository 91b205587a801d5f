import * as z from 'zod';

/** The parts of a status that decide whether it is sent. */
export const sentSchema = z.object({
  number: z.number(),
  subNumber: z.number(),
  state: z.enum(['SUCCESSFUL', 'FAILED', 'INPROGRESS', 'STOPPED']),
  description: z.string(),
  url: z.string(),
  /** Names a run that has no number. */
  run: z.string().optional(),
  /** The runs without a number before this one, the oldest first. */
  earlier: z.array(z.string()).optional(),
  /** When it was sent (ms). */
  at: z.number().optional(),
});
export type SentStatus = z.infer<typeof sentSchema>;

/** A status that may be sent. `restarts`: whether the same run may begin anew after its end. */
export type NextStatus = SentStatus & { restarts?: boolean | undefined };

/**
 * A status of the beginning that comes within this time after the end of a run is late; one that
 * comes afterwards belongs to a restart. The API gives a call five tries of 60 s.
 */
const LATE_MS = 5 * 60_000;
const MAX_EARLIER = 20;

/**
 * Whether a status should follow `last` at Bitbucket. Events arrive twice and out of order: no
 * status of an earlier run is sent, none that is not final after a final one, no repetition.
 * Runs without a number are in the order in which they were first heard of.
 */
export function shouldSend(last: SentStatus | undefined, next: NextStatus): boolean {
  if (!last) return true;
  if (!isSameRun(last, next)) return isLaterRun(last, next);
  if (isFinal(last) && !isFinal(next)) return isRestart(last, next);
  return (
    next.state !== last.state ||
    withoutSpace(next.description) !== withoutSpace(last.description) ||
    next.url !== last.url
  );
}

/** What is to be stored of `next` when it was sent after `last`. */
export function sentAfter(last: SentStatus | undefined, next: NextStatus): SentStatus {
  const { number, subNumber, state, description, url, run, at } = next;
  const sent = { number, subNumber, state, description, url, run, at };
  if (next.run === undefined || !last) return sent;
  const earlier = isSameRun(last, next)
    ? last.earlier
    : [...(last.earlier ?? []), ...(last.run === undefined ? [] : [last.run])].slice(-MAX_EARLIER);
  return { ...sent, earlier };
}

/** Whether it is the last status of its run. */
export function isFinal({ state }: Pick<SentStatus, 'state'>): boolean {
  return state !== 'INPROGRESS';
}

/** Whether both are of the same run of a node. */
export function isSameRun(one: SentStatus, other: SentStatus): boolean {
  return one.number === other.number && one.subNumber === other.subNumber && one.run === other.run;
}

function isLaterRun(last: SentStatus, next: SentStatus): boolean {
  if (next.run !== undefined) return !(last.earlier ?? []).includes(next.run);
  // The URL of the last one had no number yet.
  if (last.run !== undefined) return true;
  return (next.number - last.number || next.subNumber - last.subNumber) > 0;
}

function isRestart(last: SentStatus, next: NextStatus): boolean {
  if (!next.restarts || next.at === undefined || last.at === undefined) return false;
  return next.at - last.at >= LATE_MS;
}

/** CDS writes `node: Success` first, and `node:Success` when it repeats it. */
function withoutSpace(text: string): string {
  return text.replace(/\s/g, '');
}
