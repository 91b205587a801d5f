import { CdsError } from '@cds/wire';
import type { IncomingHttpHeaders } from 'node:http';

/** The tokens that the API stores of a linked project. */
export interface AccessPair {
  accessToken: string;
  /** That of the linking; it never changes. */
  refreshToken: string;
}

/** Carries a new access token to the API, in plain text, although the API sends it in base64. */
export const NEW_ACCESS_TOKEN_HEADER = 'X-CDS-ACCESS-TOKEN';

/** The headers of a call on behalf of a linked project; CDS 0.54 and later send none. */
export const ACCESS_HEADERS = {
  'X-CDS-ACCESS-TOKEN': {
    description: "The project's access token, in base64, where it was linked (CDS before 0.54).",
  },
  'X-CDS-ACCESS-TOKEN-SECRET': {
    description: 'The refresh token that the linking of the project gave, in base64.',
  },
  'X-CDS-ACCESS-TOKEN-CREATED': {
    description: 'When the API got the access token, in base64; ignored.',
  },
};

/** @throws CdsError 401 when a token is missing or malformed */
export function readAccessHeaders(headers: IncomingHttpHeaders): AccessPair {
  return {
    accessToken: readToken(headers, 'X-CDS-ACCESS-TOKEN'),
    refreshToken: readToken(headers, 'X-CDS-ACCESS-TOKEN-SECRET'),
  };
}

function readToken(headers: IncomingHttpHeaders, name: string): string {
  if (!headers[name.toLowerCase()])
    throw new CdsError('notAuthenticated', { from: `header ${name} is missing` });
  const token = readBase64Header(headers, name).toString('latin1');
  if (!isToken(token))
    throw new CdsError('notAuthenticated', { from: `header ${name} is not a token in base64` });
  return token;
}

/**
 * The bytes of a header that the API sends in base64; empty when it is absent.
 * @param name in upper case
 * @throws CdsError 401 when it is not base64
 */
export function readBase64Header(headers: IncomingHttpHeaders, name: string): Buffer {
  const value = String(headers[name.toLowerCase()] ?? '');
  const bytes = Buffer.from(value, 'base64');
  if (stripPadding(bytes.toString('base64')) !== stripPadding(value))
    throw new CdsError('notAuthenticated', { from: `header ${name} is not in base64` });
  return bytes;
}

/** Whether a header can carry it: printable ASCII. */
export function isToken(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

function stripPadding(text: string): string {
  return text.replace(/={1,2}$/, '');
}
