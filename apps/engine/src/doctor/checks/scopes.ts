/** What vcs needs of a consumer; each with those that imply it. */
const IMPLIED_BY: Readonly<Record<string, readonly string[]>> = {
  account: ['account', 'account:write'],
  'repository:write': ['repository:write', 'pullrequest:write'],
  'pullrequest:write': ['pullrequest:write'],
  webhook: ['webhook'],
};

export const NEEDED_SCOPES = Object.keys(IMPLIED_BY);

/** The needed scopes that are not among those given. */
export function missingScopes(given: readonly string[]): string[] {
  return NEEDED_SCOPES.filter(
    (needed) => !(IMPLIED_BY[needed] ?? []).some((scope) => given.includes(scope)),
  );
}
