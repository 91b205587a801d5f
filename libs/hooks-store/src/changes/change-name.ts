export const BRANCH_PREFIX = 'refs/heads/';
const TAG = 'refs/tags/';
/** As many digits as Bitbucket gives at least. */
const COMPARED_DIGITS = 12;

/**
 * What names a change: two that have the same name are one, whether a webhook told of it or a poll
 * found it.
 */
export function changeName(ref: string, hash: string): string {
  return `${ref}@${hash === '' ? 'deleted' : comparedHash(hash)}`;
}

/** As much of a hash as is compared. */
export function comparedHash(hash: string): string {
  return hash.slice(0, COMPARED_DIGITS).toLowerCase();
}

export function branchRef(branch = ''): string {
  return BRANCH_PREFIX + branch;
}

export function tagRef(tag = ''): string {
  return TAG + tag;
}

/** The name in full: CDS knows branches without `refs/heads/`, and tags by their whole name. */
export function refOf(name: string): string {
  return name.startsWith(BRANCH_PREFIX) || name.startsWith(TAG) ? name : BRANCH_PREFIX + name;
}

/** The branch or tag without what stands before its name. */
export function shortRef(ref: string): { branch: string } | { tag: string } {
  return ref.startsWith(TAG)
    ? { tag: ref.slice(TAG.length) }
    : { branch: ref.startsWith(BRANCH_PREFIX) ? ref.slice(BRANCH_PREFIX.length) : ref };
}
