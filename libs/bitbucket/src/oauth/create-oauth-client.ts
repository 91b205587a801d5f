import type { CallContext } from '../client-types';
import { parseJsonAnswer } from '../http/parse-json-answer';
import { type HttpRequest, sendOnce } from '../http/request';
import { withRetries } from '../http/retry-policy';
import { oauthTokensSchema } from '../schemas/oauth-tokens';
import { grantRefusal } from './grant-refusal';
import type { OAuthClient, OAuthClientOptions, OAuthTokens } from './oauth-types';

const CALL = 'POST /access_token';

/**
 * The consumer's side of the OAuth 2.0 code flow. Codes and refresh tokens work once: a request is
 * repeated only when Bitbucket cannot have taken it (connection refused, 429).
 */
export function createOAuthClient(o: OAuthClientOptions): OAuthClient {
  const oauthUrl = o.oauthUrl.replace(/(?<!\/)\/+$/, '');
  const basic = Buffer.from(`${o.clientId}:${o.clientSecret}`, 'utf8').toString('base64');
  const settings = { timeoutMs: o.timeoutMs ?? 15_000, proxies: o.proxies };
  const retries = {
    repeat: 'unless-received',
    firstPauseMs: o.firstPauseMs ?? 1_000,
  } as const;

  function requestTokens(
    form: Record<string, string>,
    secret: string,
    previousRefreshToken: string | undefined,
    ctx: CallContext,
  ): Promise<OAuthTokens> {
    const request: HttpRequest = {
      method: 'POST',
      url: `${oauthUrl}/access_token`,
      headers: {
        Accept: 'application/json',
        Authorization: `Basic ${basic}`,
        'Content-Type': 'application/x-www-form-urlencoded',
        'User-Agent': 'cds-bitbucket-cloud',
      },
      body: new URLSearchParams(form).toString(),
      call: CALL,
      repeat: retries.repeat,
    };
    return withRetries(retries, ctx, async () => {
      const answer = await sendOnce(request, settings, ctx);
      if (answer.status !== 200) {
        throw grantRefusal(CALL, answer, [secret, o.clientSecret, basic]);
      }
      return parseJsonAnswer(CALL, answer)(oauthTokensSchema(previousRefreshToken));
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
    exchangeCode(code, ctx) {
      return requestTokens({ grant_type: 'authorization_code', code }, code, undefined, ctx);
    },
    refresh(token, ctx) {
      const form = { grant_type: 'refresh_token', refresh_token: token };
      return requestTokens(form, token, token, ctx);
    },
  };
}
