/** Go's zero time: a text that is no time would make the API refuse the whole answer. */
const NO_TIME = '0001-01-01T00:00:00Z';

/**
 * A time of Bitbucket as Go writes it: UTC as `Z` instead of `+00:00`, without zeros at the end of
 * the fraction. Go's zero time for what is no time.
 */
export function goTime(date: string): string {
  if (Number.isNaN(Date.parse(date))) return NO_TIME;
  return date.replace(/(?:\.0+|(\.\d*?[1-9])0*)?(?:\+00:00|Z)$/, '$1Z');
}
