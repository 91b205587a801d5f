import { type KeyObject, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A request as far as a signature covers it. */
export type SignedRequest = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & {
  /** Names and values as they came, by turns; needed where a header comes twice. */
  rawHeaders?: readonly string[];
  /** Of Express: `url` may be shortened there. */
  originalUrl?: string;
};

/** What every signature of the API covers. */
const REQUIRED = ['(request-target)', 'host', 'date'];
/** The API names three. */
const MAX_NAMES = 20;

/**
 * Verifies that the API of CDS 0.44 or later made a request:
 * https://datatracker.ietf.org/doc/html/draft-cavage-http-signatures-06, with RSASSA-PKCS1-v1_5 and
 * SHA-256. It covers neither the body nor a time, so that a request can be replayed for ever.
 * @param key of the API; `keyId` is not looked at, since it is the name of the API
 */
export function isSignedBy(key: KeyObject, request: SignedRequest): boolean {
  const given = parse(request.headers.authorization);
  if (!given) return false;
  const signed = Buffer.from(stringToSign(given.names, request), 'latin1');
  return verify('sha256', signed, key, given.signature);
}

function parse(header: string | undefined): { names: string[]; signature: Buffer } | undefined {
  const [, list] = /^Signature (.*)$/.exec(header ?? '') ?? [];
  if (list === undefined) return undefined;
  const parameters = new Map<string, string>();
  // Each parameter ends at a comma or at the end, so that nothing between two is skipped.
  const parameter = /\s*(\w+)="([^"]*)"\s*(?:,|$)/y;
  while (parameter.lastIndex < list.length) {
    const [, name, value] = parameter.exec(list) ?? [];
    if (name === undefined || value === undefined || parameters.has(name)) return undefined;
    parameters.set(name, value);
  }
  const names = parameters.get('headers')?.split(' ') ?? [];
  if (names.length > MAX_NAMES || !REQUIRED.every((name) => names.includes(name))) return undefined;
  if (!parameters.get('keyId') || parameters.get('algorithm') !== 'rsa-sha256') return undefined;
  const signature = parameters.get('signature') ?? '';
  const bytes = Buffer.from(signature, 'base64');
  // Node ignores what is no base64: each signature has one form.
  return bytes.toString('base64') === signature ? { names, signature: bytes } : undefined;
}

/** A header that the request does not carry adds no line: the API names `date`, and sends none. */
function stringToSign(names: readonly string[], request: SignedRequest): string {
  const lines = names.flatMap((name) =>
    name === '(request-target)'
      ? [`${name}: ${requestTarget(request)}`]
      : valuesOf(name, request).map((value) => `${name}: ${value.trim()}`),
  );
  return lines.join('\n');
}

function valuesOf(name: string, { headers, rawHeaders = [] }: SignedRequest): readonly string[] {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  );
  if (values.length > 0) return values;
  const value = headers[name];
  return value === undefined ? [] : [value].flat();
}

/** The API signs the path percent-decoded, and the query as it is. */
function requestTarget({ method = '', url = '', originalUrl = url }: SignedRequest): string {
  const start = originalUrl.indexOf('?');
  const path = start < 0 ? originalUrl : originalUrl.slice(0, start);
  const query = start < 0 ? '' : originalUrl.slice(start);
  return `${method.toLowerCase()} ${decodeBytes(path)}${query === '?' ? '' : query}`;
}

/** Byte by byte: what is no UTF-8 is signed, too. */
function decodeBytes(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
