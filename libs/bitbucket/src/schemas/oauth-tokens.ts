import { z } from 'zod';
import type { OAuthTokens } from '../oauth/oauth-types';

/** Without `expires_in` (it is only recommended, RFC 6749, 5.1) the shorter of the lifetimes seen is taken. */
const DEFAULT_EXPIRES_IN = 3600;

/** Since May 2026 `scope`, before that `scopes`. */
const scopes = z
  .union([z.string().transform((text) => text.split(/\s+/)), z.array(z.string())])
  .optional()
  .catch(undefined);

/**
 * The token endpoint's answer. `previousRefreshToken` stays in use when the answer brings none (RFC 6749, 6 allows that
 * for a refresh).
 */
export function oauthTokensSchema(previousRefreshToken?: string): z.ZodType<OAuthTokens> {
  const refreshToken = z.string().min(1);
  return z
    .object({
      access_token: z.string().min(1),
      refresh_token:
        previousRefreshToken === undefined
          ? refreshToken
          : refreshToken.default(previousRefreshToken),
      expires_in: z.coerce.number().positive().catch(DEFAULT_EXPIRES_IN),
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
