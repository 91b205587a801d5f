import { BitbucketApiError } from './api-error';

/** What a scope brings with it. `repository:admin` brings nothing, not even reading. */
const IMPLIED: Record<string, string[]> = {
  'repository:write': ['repository'],
  pullrequest: ['repository'],
  'pullrequest:write': ['pullrequest', 'repository:write'],
  'account:write': ['account'],
  'project:admin': ['project'],
};

/** All scopes that hold, given those of a token. */
export function effectiveScopes(granted: string[]): Set<string> {
  const all = new Set<string>();
  const open = [...granted];
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    if (all.has(scope)) continue;
    all.add(scope);
    open.push(...(IMPLIED[scope] ?? []));
  }
  return all;
}

/** @throws BitbucketApiError 403, saying what is needed and what there is. */
export function requireScopes(granted: string[], required: string[]): void {
  const effective = effectiveScopes(granted);
  if (required.every((scope) => effective.has(scope))) return;
  throw new BitbucketApiError(403, 'Your credentials lack one or more required privilege scopes.', {
    detail: { required, granted },
  });
}
