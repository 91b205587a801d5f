import { type ApiConnection, bearer, notOfTheApi } from './api-connection';
import { type ApiSession, readSession } from './read-session';

/**
 * `POST /auth/consumer/builtin/signin` of CDS 0.44 and later. The connection shows the JWT with
 * all later calls.
 * @param o.service sent along where it is given
 * @param o.advice what to do where the API refuses the JWT
 */
export async function signIn(
  api: ApiConnection,
  o: { token: string; service?: object | undefined; advice: string },
  signal?: AbortSignal,
): Promise<ApiSession> {
  api.token = o.token;
  const body = { token: o.token, ...(o.service && { service: o.service }) };
  const call = { method: 'POST', path: '/auth/consumer/builtin/signin', body, signal } as const;
  const { json, headers } = await api.answer(call, { anonymous: true });
  const key = headers['x-api-pub-signing-key'];
  if (json !== undefined && key === undefined) throw notOfTheApi(call, NO_KEY);
  const session = readSession(json, key);
  if (!session) throw notOfTheApi(call);
  api.credential = bearer(session.jwt, o.advice);
  return session;
}

const NO_KEY =
  'has no X-Api-Pub-Signing-Key; check that api.http.url is the API, and that what stands in front of it passes this header on';
