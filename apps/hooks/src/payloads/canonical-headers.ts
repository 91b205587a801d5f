/** Credentials are not stored. Go's HTTP server leaves `Host` out, so it is left out here. */
const DROPPED = new Set([
  'Authorization',
  'Proxy-Authorization',
  'Cookie',
  'Host',
  'X_auth_header',
]);

/**
 * The headers of a request as CDS stores them with an execution (`request_header`).
 *
 * @param rawHeaders name, value, name, value, …
 * @returns Go's canonical names (`X-Event-Key`) to all values in their order
 */
export function canonicalHeaders(rawHeaders: string[]): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = canonicalName(rawHeaders[i] ?? '');
    const value = rawHeaders[i + 1] ?? '';
    if (DROPPED.has(name)) continue;
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  return Object.fromEntries(headers);
}

/**
 * Most requests carry the same few names. Bounded, since strangers may send others. A Map takes
 * half the time of an LRU cache.
 */
const MAX_KNOWN = 500;
const known = new Map<string, string>();

/** As https://pkg.go.dev/net/textproto#CanonicalMIMEHeaderKey: only `-` separates words. */
function canonicalName(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const canonical = name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  if (known.size < MAX_KNOWN && name.length < 100) known.set(name, canonical);
  return canonical;
}
