import type { Recorded } from './recorded-bitbucket.fixture';

export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  body: unknown;
}

/** Without what is new each time. */
export function comparable(url: string, body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body ?? undefined;
  // A matcher of jest's.
  if ('asymmetricMatch' in body) return body;
  const rest: Json = { ...body };
  delete rest.uuid;
  delete rest.request_id;
  if (!url.endsWith('/authorize') || !('url' in rest)) return rest;
  return { url: String(rest.url).replace(/state=[0-9a-f]{128}$/, 'state=') };
}

/**
 * What we add is ignored: only what is recorded is compared, but all of that, in lists one by one.
 */
export function containing(expected: unknown): unknown {
  if (Array.isArray(expected)) return expected.map(containing);
  if (typeof expected !== 'object' || expected === null) return expected;
  // A matcher of jest's.
  if ('asymmetricMatch' in expected) return expected;
  return expect.objectContaining(
    Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, containing(value)])),
  );
}

export function nameOf({ request: { method, url } }: Recorded): string {
  return `${method} ${url.slice(0, 120)}`;
}

export function withoutTransport(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['content-length', 'host'].includes(name)),
  );
}
