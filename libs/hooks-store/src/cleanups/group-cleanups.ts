import { byCodeUnits } from '../sort-gently';

/** A cleanup that is due soon. */
export interface NearCleanup {
  id: string;
  /** ms */
  due: number;
  hook: string;
}

/** Cleanups that are due within this time are due together. */
const TOGETHER_MS = 20;
/** For several hooks, which process nothing else meanwhile. */
const ENOUGH_TOGETHER = 20;
/** For one hook: two groups of it would wait for each other. */
const MAX_TOGETHER = 100;

/** The end (ms) of the time whose cleanups are due together with one due at this moment. */
export function endOfMoment(ms: number): number {
  return Math.floor(ms / TOGETHER_MS) * TOGETHER_MS + TOGETHER_MS - 1;
}

/**
 * Groups the cleanups that are due together, those of one hook in one group if possible. Replicas
 * get the same groups from the same cleanups; the first group does a cleanup that is in two.
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
