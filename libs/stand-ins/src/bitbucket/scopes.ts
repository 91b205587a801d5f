import { BitbucketApiError } from './api-error';

/** All scopes of API tokens that a CI needs. */
export const API_TOKEN_SCOPES = [
  'read:user:bitbucket',
  'read:workspace:bitbucket',
  'read:repository:bitbucket',
  'write:repository:bitbucket',
  'read:pullrequest:bitbucket',
  'write:pullrequest:bitbucket',
  'read:webhook:bitbucket',
  'write:webhook:bitbucket',
  'delete:webhook:bitbucket',
];

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

/**
 * The same for an API token, whose scopes have other names and bring nothing with them: writing
 * does not even bring reading.
 * @param required in the names of OAuth
 */
export function requireApiTokenScopes(
  granted: string[],
  required: string[],
  { method, path }: { method: string; path: string },
): void {
  const wanted = required.flatMap((scope) => ofApiToken(scope, method, path));
  if (wanted.every((scope) => granted.includes(scope))) return;
  throw new BitbucketApiError(403, 'Your credentials lack one or more required privilege scopes.', {
    detail: { required: wanted, granted },
  });
}

function ofApiToken(scope: string, method: string, path: string): string[] {
  if (scope === 'account')
    return [path.includes('/workspaces') ? 'read:workspace:bitbucket' : 'read:user:bitbucket'];
  if (scope === 'webhook') {
    if (method === 'DELETE') return ['delete:webhook:bitbucket'];
    const read = 'read:webhook:bitbucket';
    return method === 'GET' ? [read] : [read, 'write:webhook:bitbucket'];
  }
  const [thing, right] = scope.split(':');
  const read = `read:${thing}:bitbucket`;
  return right === 'write' ? [read, `write:${thing}:bitbucket`] : [read];
}
