/** Credentials are not kept with an execution; `Host` is left out because Go's HTTP server takes it out. */
const DROPPED = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'host',
  'x_auth_header',
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
    const [rawName = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (DROPPED.has(rawName.toLowerCase())) continue;
    const name = canonicalName(rawName);
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  return Object.fromEntries(headers);
}

/** `x-event-key` → `X-Event-Key`; only `-` separates words (https://pkg.go.dev/net/textproto#CanonicalMIMEHeaderKey). */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
