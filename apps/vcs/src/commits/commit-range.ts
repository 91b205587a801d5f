import type { ListCommitsOptions } from '@cds/bitbucket';

/** Without a lower end the newest so many are all that CDS can use. */
const NEWEST = 100;

/** With a lower end, the most that one push or one release plausibly brings. */
const BETWEEN = 1000;

/** The commits reachable from `head` and not from `base`; without `base` the newest 100. */
export function commitRange(head: string, base: string): ListCommitsOptions {
  return {
    include: [head],
    exclude: base === '' ? [] : [base],
    limit: base === '' ? NEWEST : BETWEEN,
  };
}
