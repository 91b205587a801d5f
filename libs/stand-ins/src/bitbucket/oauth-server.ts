import { randomBytes, randomUUID } from 'node:crypto';

/** The one consumer of this Bitbucket. */
export interface Consumer {
  clientId: string;
  clientSecret: string;
  /** Where Bitbucket sends the browser back: one per consumer. */
  callbackUrl: string;
  scopes: string[];
}

export interface OAuthServerOptions {
  consumer: Consumer;
  accessTokenLifetimeSeconds: number;
  /** After a dead refresh token, valid ones get the same answer for so long. */
  lockoutMs: number;
}

interface Grant {
  revoked: boolean;
  scopes: string[];
}

export interface TokenAnswer {
  access_token: string;
  scope: string;
  expires_in: number;
  refresh_token: string;
  token_type: 'bearer';
  state: 'authorization_code' | 'refresh_token';
}

/** A refusal of the token endpoint, in the form of RFC 6749: not the envelope of the API. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  constructor(
    readonly error: string,
    readonly description: string,
  ) {
    super(description);
  }
}

export type AccessTokenVerdict =
  | { kind: 'valid'; scopes: string[] }
  | { kind: 'expired' }
  | { kind: 'unknown' };

export type OAuthServer = ReturnType<typeof createOAuthServer>;

const CODE_LIFETIME_MS = 600_000;

/** A token of the length that Bitbucket's have today: more than 2,500 characters. */
function newToken(): string {
  return randomBytes(1_900).toString('base64url');
}

function invalidClient(): OAuthError {
  return new OAuthError('unauthorized_client', 'Invalid OAuth client credentials');
}

/** Codes, grants and tokens. Codes and refresh tokens work once; refresh tokens rotate. */
export function createOAuthServer(options: OAuthServerOptions) {
  const codes = new Map<string, { issuedAt: number }>();
  const accessTokens = new Map<string, { grant: Grant; expiresAt: number }>();
  const refreshTokens = new Map<string, { grant: Grant; used: boolean }>();
  let lifetimeSeconds = options.accessTokenLifetimeSeconds;
  let lockedOutUntil = 0;
  const counts = { authorization_code: 0, refresh_token: 0, refused: 0 };

  function issue(grant: Grant, state: TokenAnswer['state']): TokenAnswer {
    counts[state] += 1;
    const answer: TokenAnswer = {
      access_token: newToken(),
      scope: grant.scopes.join(' '),
      expires_in: lifetimeSeconds,
      refresh_token: newToken(),
      token_type: 'bearer',
      // Not the caller's state: Bitbucket has sent this field, and it has misled clients.
      state,
    };
    accessTokens.set(answer.access_token, {
      grant,
      expiresAt: Date.now() + lifetimeSeconds * 1_000,
    });
    refreshTokens.set(answer.refresh_token, { grant, used: false });
    return answer;
  }

  function refuse(error: OAuthError): OAuthError {
    counts.refused += 1;
    return error;
  }

  return {
    consumer: options.consumer,
    counts,

    /** The user agrees: a code for the callback. */
    consent(): string {
      const code = randomUUID().replaceAll('-', '');
      codes.set(code, { issuedAt: Date.now() });
      return code;
    },

    /** @throws OAuthError unless these are the consumer's credentials. */
    checkClient(clientId: string, clientSecret: string): void {
      const { consumer } = options;
      if (clientId !== consumer.clientId || clientSecret !== consumer.clientSecret)
        throw refuse(invalidClient());
    },

    /** @throws OAuthError for a code that is unknown, used or older than ten minutes. */
    exchangeCode(code: string): TokenAnswer {
      const found = codes.get(code);
      codes.delete(code);
      if (!found || Date.now() - found.issuedAt > CODE_LIFETIME_MS)
        throw refuse(new OAuthError('invalid_grant', 'The specified code is not valid.'));
      return issue({ revoked: false, scopes: [...options.consumer.scopes] }, 'authorization_code');
    },

    /** @throws OAuthError for a refresh token that is unknown, used or of a revoked grant. */
    refresh(token: string): TokenAnswer {
      const found = refreshTokens.get(token);
      if (!found || found.used || found.grant.revoked) {
        lockedOutUntil = Date.now() + options.lockoutMs;
        throw refuse(invalidClient());
      }
      if (Date.now() < lockedOutUntil) throw refuse(invalidClient());
      found.used = true;
      return issue(found.grant, 'refresh_token');
    },

    /** Counts a request that did not get as far as a grant. */
    refuse,

    verdict(accessToken: string): AccessTokenVerdict {
      const found = accessTokens.get(accessToken);
      if (!found || found.grant.revoked) return { kind: 'unknown' };
      if (Date.now() >= found.expiresAt) return { kind: 'expired' };
      return { kind: 'valid', scopes: found.grant.scopes };
    },

    /** The user takes every grant back: no token of theirs works any more. */
    revokeGrants(): void {
      for (const { grant } of refreshTokens.values()) grant.revoked = true;
    },

    /** Every access token expires now; refresh tokens stay good. */
    expireAccessTokens(): void {
      for (const token of accessTokens.values()) token.expiresAt = Date.now();
    },

    /** For the tokens issued from now on. */
    setAccessTokenLifetime(seconds: number): void {
      lifetimeSeconds = seconds;
    },

    /** For the grants given so far and from now on. */
    setScopes(scopes: string[]): void {
      options.consumer.scopes = [...scopes];
      for (const { grant } of refreshTokens.values()) grant.scopes = [...scopes];
    },
  };
}
