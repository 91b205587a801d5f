import type { IncomingMessage } from 'node:http';
import { decoded, parseUrl } from '@cds/network';

/** A call without an answer. `final`: another try would fail in the same way. */
export class CallFailedError extends Error {
  override readonly name = 'CallFailedError';
  constructor(
    message: string,
    readonly final: boolean,
  ) {
    super(message);
  }
}

export interface TargetRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

const METHOD = /^[A-Z]{1,20}$/;
const NOT_CALLED = ['CONNECT', 'TRACE'];
const USER_AGENT = 'CDS/hooks';

/** One request of a call: the target itself, or where it redirects to. */
export interface Hop {
  url: URL;
  method: string;
  body: Buffer;
  headers: Record<string, string>;
}

/** @throws CallFailedError for a hook that cannot be called */
export function firstHop(request: TargetRequest, maxRequestBytes: number): Hop {
  const url = parse(request.url.trim());
  const method = request.method.trim().toUpperCase() || 'POST';
  if (!METHOD.test(method) || NOT_CALLED.includes(method)) {
    throw new CallFailedError('the method of the hook cannot be called', true);
  }
  const body = Buffer.from(request.body);
  if (body.length > maxRequestBytes) {
    throw new CallFailedError(
      `the body has ${body.length} bytes, ` +
        `and hooks.outgoing.maxRequestBytes allows ${maxRequestBytes}`,
      true,
    );
  }
  const headers = { ...request.headers };
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodedIfValid(url.username)}:${decodedIfValid(url.password)}`;
    headers.Authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  return { url, method, body, headers };
}

/** Undefined where the answer is no redirect. */
export function redirectOf({ statusCode = 0, headers }: IncomingMessage): string | undefined {
  return [301, 302, 303, 307, 308].includes(statusCode) ? headers.location : undefined;
}

/** @throws CallFailedError for a redirect that is not followed */
export function nextHop(hop: Hop, status: number, location: string): Hop {
  const url = parseUrl(location, hop.url.href);
  if (!url) throw new CallFailedError('the target redirects to an invalid URL', false);
  url.username = '';
  url.password = '';
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') {
    throw new CallFailedError('the target redirects from https to http', true);
  }
  const keepsMethod = status === 307 || status === 308 || hop.method === 'HEAD';
  // A redirect to another server keeps only the content type.
  const isSameOrigin = url.origin === hop.url.origin;
  const headers = Object.fromEntries(
    Object.entries(hop.headers).filter(([name]) =>
      name.toLowerCase() === 'content-type' ? keepsMethod : isSameOrigin,
    ),
  );
  return keepsMethod
    ? { ...hop, url, headers }
    : { url, headers, method: 'GET', body: Buffer.alloc(0) };
}

export function headersOf({ headers, body, method, url }: Hop): Record<string, string> {
  const hasBody = body.length > 0 || !['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(method);
  return {
    Host: url.host,
    'User-Agent': USER_AGENT,
    ...(hasBody ? { 'Content-Length': String(body.length) } : {}),
    ...headers,
    'Accept-Encoding': 'identity',
    Connection: 'close',
  };
}

/** Undefined for an invalid URL. */
export function hostOf(url: string): string | undefined {
  return parseUrl(url.trim())?.hostname;
}

function parse(text: string): URL {
  const url = parseUrl(text);
  if (!url) throw new CallFailedError('the hook URL is invalid', true);
  return url;
}

export function decodedIfValid(text: string): string {
  return decoded(text) ?? text;
}
