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
/** The API gives four. */
const MAX_PARAMETERS = 10;

/**
 * Verifies that the API of CDS 0.44 or later made a request:
 * https://datatracker.ietf.org/doc/html/draft-cavage-http-signatures-06, with RSASSA-PKCS1-v1_5 and
 * SHA-256. It covers neither the body nor a time, so that a request can be replayed for ever.
 * @param key of the API; `keyId` is not looked at, since it is the name of the API
 */
export function isSignedBy(key: KeyObject, request: SignedRequest): boolean {
  const given = parse(request.headers.authorization);
  // Before anything is read for it: strangers may send long requests.
  if (given?.signature.length !== signatureLength(key)) return false;
  const signed = Buffer.from(stringToSign(given.names, request), 'latin1');
  const signature = Buffer.from(given.signature, 'base64');
  // Node ignores what is no base64: each signature has one form.
  if (signature.toString('base64') !== given.signature) return false;
  return verify('sha256', signed, key, signature);
}

/** Characters of a signature in base64: it is as long as the modulus. */
function signatureLength({ asymmetricKeyDetails }: KeyObject): number {
  const bytes = Math.ceil((asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  return 4 * Math.ceil(bytes / 3);
}

function parse(header: string | undefined): { names: string[]; signature: string } | undefined {
  const [, list] = /^Signature (.*)$/.exec(header ?? '') ?? [];
  if (list === undefined) return undefined;
  const parameters = new Map<string, string>();
  // Each parameter ends at a comma or at the end, so that nothing between two is skipped.
  const parameter = /\s*(\w+)="([^"]*)"\s*(?:,|$)/y;
  while (parameter.lastIndex < list.length) {
    const [, name, value] = parameter.exec(list) ?? [];
    if (name === undefined || value === undefined || parameters.has(name)) return undefined;
    if (parameters.size === MAX_PARAMETERS) return undefined;
    parameters.set(name, value);
  }
  const names = parameters.get('headers')?.split(' ', MAX_NAMES + 1) ?? [];
  if (names.length > MAX_NAMES || !REQUIRED.every((name) => names.includes(name))) return undefined;
  if (!parameters.get('keyId') || parameters.get('algorithm') !== 'rsa-sha256') return undefined;
  return { names, signature: parameters.get('signature') ?? '' };
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
  // A name is a stranger's word: `constructor` is no header.
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined) return [];
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  );
  return values.length > 0 ? values : [value].flat();
}

/** The API signs the path percent-decoded, and the query as it is. */
function requestTarget({ method = '', url = '', originalUrl = url }: SignedRequest): string {
  const start = originalUrl.indexOf('?');
  const path = start < 0 ? originalUrl : originalUrl.slice(0, start);
  const query = start < 0 ? '' : originalUrl.slice(start);
  return `${method.toLowerCase()} ${decodeBytes(path)}${query === '?' ? '' : query}`;
}

/**
 * Byte by byte: what is no UTF-8 is signed, too. In one pass over bytes, since a path may have tens
 * of thousands of escapes.
 */
function decodeBytes(path: string): string {
  if (!path.includes('%')) return path;
  const bytes = Buffer.from(path, 'latin1');
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    const value = bytes[at] === PERCENT ? hexAt(bytes, at + 1) : -1;
    bytes[end++] = value < 0 ? (bytes[at] ?? 0) : value;
    if (value >= 0) at += 2;
  }
  return bytes.toString('latin1', 0, end);
}

const PERCENT = 0x25;

/** @returns the value of two hexadecimal digits; negative where there are none */
function hexAt(bytes: Buffer, at: number): number {
  const high = HEX[bytes[at] ?? 0] ?? -1;
  const low = HEX[bytes[at + 1] ?? 0] ?? -1;
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

const DIGITS = Buffer.from('0123456789abcdefABCDEF');

/** By the code of a character; absent for what is no digit. */
const HEX: Readonly<Record<number, number>> = Object.fromEntries(
  Array.from(DIGITS, (code) => [code, Number.parseInt(String.fromCharCode(code), 16)]),
);
