export const BRANCH_PREFIX = 'refs/heads/';
const TAG = 'refs/tags/';
/** Bitbucket gives at least so many. */
const COMPARED_DIGITS = 12;

/** Deduplication window of deliveries and changes: 48 h, in µs as the ids of executions. */
export const REMEMBERED_US = 48 * 3_600 * 1_000_000;

/** The name of a change, the same whether a webhook or a poll brought it. */
export function changeName(ref: string, hash: string): string {
  return `${ref}@${hash === '' ? 'deleted' : comparedHash(hash)}`;
}

/** The compared digits of a hash. */
export function comparedHash(hash: string): string {
  return hash.slice(0, COMPARED_DIGITS).toLowerCase();
}

export function branchRef(branch = ''): string {
  return BRANCH_PREFIX + branch;
}

export function tagRef(tag = ''): string {
  return TAG + tag;
}

/** The full name: CDS knows branches without `refs/heads/`, and tags by their full name. */
export function refOf(name: string): string {
  return name.startsWith(BRANCH_PREFIX) || name.startsWith(TAG) ? name : BRANCH_PREFIX + name;
}

/** The branch or tag without its prefix. */
export function shortRef(ref: string): { branch: string } | { tag: string } {
  return ref.startsWith(TAG)
    ? { tag: ref.slice(TAG.length) }
    : { branch: ref.startsWith(BRANCH_PREFIX) ? ref.slice(BRANCH_PREFIX.length) : ref };
}
