import type { CallContext } from '../client-types';
import { BitbucketError, DeadGrantError } from '../http/bitbucket-error';
import { parseJsonAnswer } from '../http/parse-json-answer';
import { readRefusal } from '../http/refusal';
import { type HttpAnswer, sendOnce } from '../http/request';
import { withRetries } from '../http/retry-policy';
import { callName, type Route } from '../routes';
import { oauthTokensSchema } from '../schemas/oauth-tokens';
import type { OAuthClient, OAuthClientOptions, OAuthTokens } from './oauth-types';

const route: Route = { method: 'POST', template: '/access_token', repeat: 'unless-received' };
const CALL = callName(route);

/**
 * The consumer's side of the OAuth 2.0 code flow. Codes and refresh tokens work once: a request is
 * repeated only when Bitbucket cannot have taken it (connection refused, 429).
 */
export function createOAuthClient(o: OAuthClientOptions): OAuthClient {
  const oauthUrl = o.oauthUrl.replace(/(?<!\/)\/+$/, '');
  const basic = Buffer.from(`${o.clientId}:${o.clientSecret}`, 'utf8').toString('base64');
  const settings = { timeoutMs: o.timeoutMs ?? 15_000, proxies: o.proxies };
  const retries = { repeat: route.repeat, firstPauseMs: o.firstPauseMs ?? 1_000 };

  function requestTokens(
    form: { grant_type: string; code?: string; refresh_token?: string },
    ctx: CallContext,
  ): Promise<OAuthTokens> {
    const { code, refresh_token: refreshToken } = form;
    const secrets = [code ?? refreshToken ?? '', o.clientSecret, basic];
    const request = {
      route,
      url: `${oauthUrl}${route.template}`,
      headers: {
        Accept: 'application/json',
        Authorization: `Basic ${basic}`,
        'Content-Type': 'application/x-www-form-urlencoded',
        'User-Agent': 'cds-bitbucket-cloud',
      },
      body: new URLSearchParams(form).toString(),
    };
    return withRetries(retries, ctx, async () => {
      const answer = await sendOnce(request, settings, ctx);
      if (answer.status !== 200) throw grantRefusal(answer, secrets);
      return parseJsonAnswer(CALL, answer)(oauthTokensSchema(refreshToken));
    });
  }

  return {
    authorizeUrl(state) {
      const query = new URLSearchParams([
        ['client_id', o.clientId],
        ['response_type', 'code'],
        ['state', state],
      ]);
      return `${oauthUrl}/authorize?${query.toString()}`;
    },
    exchangeCode: (code, ctx) => requestTokens({ grant_type: 'authorization_code', code }, ctx),
    refresh: (token, ctx) =>
      requestTokens({ grant_type: 'refresh_token', refresh_token: token }, ctx),
  };
}

/**
 * A dead grant: `invalid_grant`, a 401, and `unauthorized_client`, Bitbucket's answer to a used
 * refresh token. Everything else (429, 5xx) passes, and the grant lives on.
 */
function grantRefusal(answer: HttpAnswer, secrets: string[]): BitbucketError {
  const { details, body } = readRefusal(CALL, answer, secrets);
  const code = body.oauthError ?? '';
  if (code === 'invalid_client') {
    const advice = 'check the client id and the client secret of the OAuth consumer';
    const bitbucketMessage = `${details.bitbucketMessage}: ${advice}`;
    return new BitbucketError({ ...details, bitbucketMessage });
  }
  return isDead(answer.status, code) ? new DeadGrantError(details) : new BitbucketError(details);
}

function isDead(status: number, code: string): boolean {
  if (status === 401) return true;
  return status === 400 && (code === 'invalid_grant' || code === 'unauthorized_client');
}
