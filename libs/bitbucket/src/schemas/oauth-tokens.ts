import * as z from 'zod';
import type { OAuthTokens } from '../oauth/oauth-types';
import { boundedArray } from './text';

/** The shorter of the lifetimes seen: `expires_in` is only recommended (RFC 6749, 5.1). */
const DEFAULT_EXPIRES_IN = 3600;
/** Ten years: what is longer is no lifetime. */
const MAX_EXPIRES_IN = 10 * 365 * 24 * 3600;
/** Bitbucket's have passed 2,500 characters. */
const MAX_TOKEN = 16_384;

/** Printable ASCII: it goes into a header, to Bitbucket as well as to the API. */
const token = z
  .string()
  .max(MAX_TOKEN)
  .regex(/^[!-~]+$/);

/** Since May 2026 `scope`, before that `scopes`. */
const scopes = z
  .union([z.string().transform((text) => text.split(/\s+/)), boundedArray(z.string())])
  .optional()
  .catch(undefined);

/** `previousRefreshToken` stays in use when a refresh brings none (RFC 6749, 6). */
export function oauthTokensSchema(previousRefreshToken?: string): z.ZodType<OAuthTokens> {
  return z
    .object({
      access_token: token,
      refresh_token:
        previousRefreshToken === undefined ? token : token.default(previousRefreshToken),
      expires_in: z.coerce.number().positive().max(MAX_EXPIRES_IN).catch(DEFAULT_EXPIRES_IN),
      scope: scopes,
      scopes,
    })
    .transform((body) => ({
      accessToken: body.access_token,
      refreshToken: body.refresh_token,
      expiresInSeconds: body.expires_in,
      scopes: (body.scope ?? body.scopes ?? []).filter((scope) => scope !== ''),
    }));
}
