import type { BitbucketCall, OAuthClient } from '@cds/bitbucket';
import type { Tracing } from '@cds/tracing';

/** A span of one attempt to call Bitbucket that has just ended. */
export function traceCall(tracing: Tracing, call: BitbucketCall): void {
  const { method, route, status, failure, durationMs } = call;
  tracing.record({
    ...{ name: `${method} ${route}`, kind: 'client', durationMs },
    failure: failure ?? (status !== undefined && status >= 400 ? String(status) : undefined),
    attributes: {
      ...{ 'http.request.method': method, 'url.template': route },
      ...{ 'http.response.status_code': status, 'bitbucket.is_retry': call.isRetry },
    },
  });
}

/** A span for each request of tokens. */
export function traceOAuth(oauth: OAuthClient, tracing: Tracing): OAuthClient {
  const start = {
    ...{ name: 'POST /access_token', kind: 'client' as const },
    attributes: { 'http.request.method': 'POST', 'url.template': '/access_token' },
  };
  return {
    ...oauth,
    exchangeCode: (code, ctx) => tracing.run(start, () => oauth.exchangeCode(code, ctx)),
    refresh: (token, ctx) => tracing.run(start, () => oauth.refresh(token, ctx)),
  };
}
