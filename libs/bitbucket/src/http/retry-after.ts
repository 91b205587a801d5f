/**
 * Reads a `Retry-After` header: seconds, or an HTTP date (RFC 9110, 10.2.3). Returns whole seconds
 * from now, never negative; undefined when the header is absent or makes no sense.
 */
export function parseRetryAfter(header: string, nowMs: number): number | undefined {
  const text = header.trim();
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Math.ceil(Number(text));
  if (!/[a-z]/i.test(text)) return undefined;
  const date = Date.parse(text);
  if (Number.isNaN(date)) return undefined;
  return Math.max(0, Math.ceil((date - nowMs) / 1000));
}
