import { BitbucketError } from './bitbucket-error';

export type PathValues = Readonly<Record<string, string | number>>;

/**
 * Fills a route's template; each value becomes one path segment (`/`, spaces, `#`, braces are encoded). Throws a 404 for a
 * value that no URL can carry ('', '.', '..', half a character): nothing of that name can exist.
 */
export function expandTemplate(template: string, values: PathValues, call: string): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(values[name] ?? '');
    if (value === '' || value === '.' || value === '..' || /\p{Surrogate}/u.test(value)) {
      throw new BitbucketError({
        kind: 'answer',
        call,
        status: 404,
        bitbucketMessage: `${name} cannot be ${JSON.stringify(value)}: no such thing can exist`,
      });
    }
    return encodeURIComponent(value);
  });
}

/** What Bitbucket writes into `next` is far shorter, and no server takes a longer line. */
const LONGEST_URL = 16 * 1024;
const LONGEST_ORIGIN = 200;

/**
 * Checks a URL that Bitbucket gave (`next`, `Location`): the token goes only to the origin of `apiUrl` and below its path.
 */
export function requireBelow(apiUrl: string, given: string, current: string, call: string): string {
  const api = new URL(apiUrl);
  const isUrl = given.length <= LONGEST_URL && URL.canParse(given, current);
  const url = isUrl ? new URL(given, current) : undefined;
  const below = api.pathname.endsWith('/') ? api.pathname : `${api.pathname}/`;
  if (
    !url ||
    url.origin !== api.origin ||
    url.username !== '' ||
    url.password !== '' ||
    !url.pathname.startsWith(below)
  ) {
    throw new BitbucketError({
      kind: 'invalid-answer',
      call,
      bitbucketMessage: `the answer leads to ${url?.origin.slice(0, LONGEST_ORIGIN) ?? 'a malformed address'}, away from ${apiUrl}; it was not followed`,
    });
  }
  return url.href;
}
