/** Credentials are not kept with an execution; `Host` is left out because Go's HTTP server takes it out. */
const DROPPED = new Set([
  'Authorization',
  'Proxy-Authorization',
  'Cookie',
  'Host',
  'X_auth_header',
]);

/**
 * The headers of a request as CDS keeps them with an execution (`request_header`).
 *
 * @param rawHeaders name, value, name, value… as `IncomingMessage.rawHeaders` has them
 * @returns Go's canonical names (`X-Event-Key`) to all values, in the order they came
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
 * Most requests carry the same few names. Bounded, since anybody may send others. A Map finds a name
 * in half the time of an LRU cache.
 */
const MAX_KNOWN = 500;
const known = new Map<string, string>();

/** `x-event-key` → `X-Event-Key`; only `-` separates words (https://pkg.go.dev/net/textproto#CanonicalMIMEHeaderKey). */
function canonicalName(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const canonical = name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  if (known.size < MAX_KNOWN && name.length < 100) known.set(name, canonical);
  return canonical;
}
