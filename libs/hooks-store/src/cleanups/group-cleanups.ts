import { byCodeUnits } from '../sort-gently';

/** A cleanup that comes near. */
export interface NearCleanup {
  id: string;
  /** ms */
  due: number;
  hook: string;
}

/** Cleanups that are due within so long are due together; the first of them waits for the last. */
const TOGETHER_MS = 20;
/** Of several hooks. While these are done, nothing else is at them. */
const ENOUGH_TOGETHER = 20;
/** Of one hook: in two groups they would wait for each other. */
const MAX_TOGETHER = 100;

/**
 * The end (ms) of the time whose cleanups are due together with those that are due at this moment.
 */
export function endOfMoment(ms: number): number {
  return Math.floor(ms / TOGETHER_MS) * TOGETHER_MS + TOGETHER_MS - 1;
}

/**
 * Puts those together that are due together, those of one hook if possible into one group. Replicas
 * that do so with the same cleanups come to the same groups; a cleanup that is in two groups is
 * done by the first.
 *
 * @param near in the order in which they are due
 */
export function groupByMoment(near: readonly NearCleanup[]): NearCleanup[][] {
  const sorted = near
    .map((cleanup) => ({ cleanup, moment: endOfMoment(cleanup.due) }))
    .sort((a, b) => a.moment - b.moment || byCodeUnits(a.cleanup.hook, b.cleanup.hook));
  const groups: { moment: number; cleanups: NearCleanup[] }[] = [];
  for (const { cleanup, moment } of sorted) {
    const group = groups.at(-1);
    const most = group?.cleanups.at(-1)?.hook === cleanup.hook ? MAX_TOGETHER : ENOUGH_TOGETHER;
    if (group?.moment === moment && group.cleanups.length < most) group.cleanups.push(cleanup);
    else groups.push({ moment, cleanups: [cleanup] });
  }
  return groups.map(({ cleanups }) => cleanups);
}
