import { html, type Html } from './html';

/** A moment (ms, or ISO 8601) for people and programs, by UTC; nothing for none. */
export function timeOf(moment: number | string | undefined): Html {
  const date = new Date(moment ?? NaN);
  if (moment === 0 || Number.isNaN(date.getTime())) return html`&ndash;`;
  const iso = date.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** How far a moment (ms) is from now: `5 minutes ago`, `in 2 hours`. */
export function distanceOf(moment: number, now: number): string {
  const seconds = Math.round(Math.abs(now - moment) / 1_000);
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? UNITS[3];
  const count = Math.floor(seconds / length);
  const text = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return moment > now ? `in ${text}` : `${text} ago`;
}

/** `1 hook`, `2 hooks`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
