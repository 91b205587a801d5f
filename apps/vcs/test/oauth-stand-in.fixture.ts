import express, { type Router } from 'express';

export const CLIENT_ID = 'the-client-id';
export const CLIENT_SECRET = 'the-client-secret';

/** The token endpoint: refresh tokens are single use and rotate, as Bitbucket's do. */
export interface OAuthStandIn {
  router: Router;
  clientSecret: string;
  /** Seconds that new access tokens live. */
  expiresIn: number;
  /** Whether every refresh token is refused for now, in the words for a dead one. */
  lockedOut: boolean;
  /** Milliseconds before the token endpoint answers. */
  latencyMs: number;
  /** How many requests came to the token endpoint, answered or not. */
  asked: number;
  /** How many refreshes were asked for, with the answers' statuses. */
  refreshes: number[];
  /** A pair as after linking. */
  issue(): { accessToken: string; refreshToken: string };
  /** From now on the access token is refused. */
  expire(accessToken: string): void;
  /** From now on every refresh token is refused, as after the user withdrew the access. */
  revokeAll(): void;
  /** A code that the next exchange may use. */
  code(): string;
  /** Why a request with this token is refused; undefined when it is not. */
  refusalOf(accessToken: string | undefined): string | undefined;
}

export function newOAuthStandIn(): OAuthStandIn {
  const access = new Map<string, number>();
  const refresh = new Set<string>();
  const codes = new Set<string>();
  let count = 0;

  const router = express.Router();
  router.use(express.urlencoded({ extended: false }));
  router.post('/access_token', (req, res) => {
    oauth.asked += 1;
    setTimeout(() => {
      const body = (req.body ?? {}) as Record<string, string | undefined>;
      const [status, answer] = grant(req.headers.authorization, body);
      if (body.grant_type === 'refresh_token') oauth.refreshes.push(status);
      res.status(status).json(answer);
    }, oauth.latencyMs);
  });

  function grant(
    authorization: string | undefined,
    body: Record<string, string | undefined>,
  ): [number, object] {
    const basic = `Basic ${Buffer.from(`${CLIENT_ID}:${oauth.clientSecret}`).toString('base64')}`;
    if (authorization !== basic) return [400, { error: 'invalid_client', error_description: 'No' }];
    if (body.grant_type === 'authorization_code' && codes.delete(body.code ?? ''))
      return [200, tokens()];
    if (isLiving(body)) return [200, tokens()];
    return [
      400,
      { error: 'unauthorized_client', error_description: 'Invalid OAuth client credentials' },
    ];
  }

  function isLiving({
    grant_type: type,
    refresh_token: token = '',
  }: Record<string, string | undefined>) {
    return type === 'refresh_token' && !oauth.lockedOut && refresh.delete(token);
  }

  function tokens() {
    const { accessToken, refreshToken } = oauth.issue();
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in: oauth.expiresIn,
      token_type: 'bearer',
      scope: 'account repository pullrequest webhook',
      state: 'authorization_code',
    };
  }

  const oauth: OAuthStandIn = {
    router,
    clientSecret: CLIENT_SECRET,
    expiresIn: 3600,
    lockedOut: false,
    latencyMs: 0,
    asked: 0,
    refreshes: [],
    issue() {
      count += 1;
      const pair = { accessToken: `access-${count}`, refreshToken: `refresh-${count}` };
      access.set(pair.accessToken, Date.now() + oauth.expiresIn * 1000);
      refresh.add(pair.refreshToken);
      return pair;
    },
    expire: (accessToken) => void access.set(accessToken, 0),
    revokeAll: () => refresh.clear(),
    code() {
      count += 1;
      codes.add(`code-${count}`);
      return `code-${count}`;
    },
    refusalOf(accessToken) {
      const expiresAt = accessToken === undefined ? undefined : access.get(accessToken);
      if (expiresAt === undefined) return 'Token is invalid or not supported for this endpoint.';
      return expiresAt > Date.now()
        ? undefined
        : 'Access token expired. Use your refresh token to obtain a new access token.';
    },
  };
  return oauth;
}
