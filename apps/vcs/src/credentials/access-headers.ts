import { CdsError } from '@cds/wire';
import type { IncomingHttpHeaders } from 'node:http';
import { isToken, readBase64Header } from './base64-header';

/** The tokens that the API stores of a linked project. */
export interface AccessPair {
  accessToken: string;
  /** That of the linking; it never changes. */
  refreshToken: string;
}

const ACCESS_TOKEN = 'x-cds-access-token';
const REFRESH_TOKEN = 'x-cds-access-token-secret';

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
    accessToken: decode(headers, ACCESS_TOKEN),
    refreshToken: decode(headers, REFRESH_TOKEN),
  };
}

function decode(headers: IncomingHttpHeaders, name: string): string {
  if (!headers[name])
    throw new CdsError('notAuthenticated', { from: `header ${name.toUpperCase()} is missing` });
  const token = readBase64Header(headers, name).toString('latin1');
  if (!isToken(token))
    throw new CdsError('notAuthenticated', {
      from: `header ${name.toUpperCase()} is not a token in base64`,
    });
  return token;
}
