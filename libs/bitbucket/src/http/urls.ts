import { parseUrl } from '@cds/network';
import { BitbucketError, invalidAnswer } from './bitbucket-error';

/** A list is a path of several segments; '' at its end makes a slash there. */
export type PathValues = Readonly<Record<string, string | number | readonly string[]>>;

/**
 * Fills a route's template; each value becomes one encoded path segment, a list as many as it has.
 * Throws a 404 for a value that no URL can carry ('', '.', '..', half a character).
 */
export function expandTemplate(template: string, values: PathValues, call: string): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    if (typeof value !== 'object') return encode(name, String(value));
    const segments = value.at(-1) === '' ? value.slice(0, -1) : value;
    const path = segments.map((segment) => encode(name, segment)).join('/');
    return segments.length === value.length || path === '' ? path : `${path}/`;
  });

  function encode(name: string, value: string): string {
    if (value === '' || value === '.' || value === '..' || /\p{Surrogate}/u.test(value)) {
      throw new BitbucketError({
        kind: 'answer',
        call,
        status: 404,
        bitbucketMessage: `${name} cannot be ${JSON.stringify(value)}: no such thing can exist`,
      });
    }
    return encodeURIComponent(value);
  }
}

/** What Bitbucket writes into `next` is far shorter, and no server takes a longer line. */
const MAX_URL = 16 * 1024;
const MAX_ORIGIN = 200;

/** Bitbucket's own address, also behind a proxy that has another. */
const CANONICAL = 'https://api.bitbucket.org/2.0';

/**
 * The URL below `apiUrl`, to which alone the token goes, for one that Bitbucket gave (`next`,
 * `Location`), also below https://api.bitbucket.org/2.0.
 * @param current the URL below `apiUrl` that led there, for relative ones
 * @throws BitbucketError for everything else
 */
export function urlBelowApi(apiUrl: string, given: string, current: string, call: string): string {
  const relative = pathBelow(apiUrl, given, current);
  if (relative !== undefined) return `${apiUrl}${relative}`;
  const canonical = pathBelow(CANONICAL, given, `${CANONICAL}${current.slice(apiUrl.length)}`);
  if (canonical !== undefined) return `${apiUrl}${canonical}`;
  const origin = parseUrl(given, current)?.origin ?? '';
  const there = origin.slice(0, MAX_ORIGIN) || 'a malformed address';
  throw invalidAnswer(
    call,
    `the answer leads to ${there}, away from ${apiUrl}; it was not followed`,
  );
}

/** Path and query of `given` after the path of `base`; undefined where it is not below it. */
function pathBelow(base: string, given: string, current: string): string | undefined {
  const url = given.length <= MAX_URL ? parseUrl(given, current) : undefined;
  if (!url) return undefined;
  const api = new URL(base);
  const path = api.pathname.replace(/\/$/, '');
  const isBelow =
    url.origin === api.origin &&
    url.username === '' &&
    url.password === '' &&
    url.pathname.startsWith(`${path}/`);
  return isBelow ? `${url.pathname.slice(path.length)}${url.search}` : undefined;
}
