import type { IncomingAnswer } from '../../http/send-request';
import type { CdsApiStandIn } from '../index';
import { callApi } from '../services.fixture';

type Answer = IncomingAnswer & { json: Record<string, unknown> };

/** What a service sends of itself. */
export function serviceBody(type: 'vcs' | 'hooks', name: string, url: string) {
  return { name, type, http_url: url, config: { name }, version: '0.57.0' };
}

export const monitoring = (name = 's') => ({
  now: new Date().toISOString(),
  lines: [
    {
      ...{ status: 'OK', component: 'Version', value: '0.57.0' },
      ...{ type: 'vcs', service: name, hostname: 'h' },
    },
  ],
});

/** Posts a sign-in. */
export function signIn(api: CdsApiStandIn, body: unknown): Promise<Answer> {
  return callApi(api, 'POST', '/auth/consumer/builtin/signin', { body, agent: 'node' });
}

/** Calls the API with a JWT. */
export function callAs(
  api: CdsApiStandIn,
  jwt: unknown,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const headers = { Authorization: `Bearer ${String(jwt)}` };
  return callApi(api, method, path, { body, headers, agent: 'node' });
}

/** Makes a service known to an API of 0.50 or later, as it does it itself; returns its JWT. */
export async function signInService(
  api: CdsApiStandIn,
  type: 'vcs' | 'hooks',
  name: string,
  url: string,
): Promise<string> {
  const token = api.tokenOf(type, name);
  const service = serviceBody(type, name, url);
  const { json } = await signIn(api, api.cds === '0.50' ? { token } : { token, service });
  const jwt = String(json['token']);
  if (api.cds === '0.50') await callAs(api, jwt, 'POST', '/services/register', service);
  return jwt;
}
