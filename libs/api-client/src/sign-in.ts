import { type ApiConnection, notOfTheApi } from './api-connection';
import { type ApiSession, readSession } from './read-session';

/**
 * `POST /auth/consumer/builtin/signin` of CDS 0.44 and later. The connection shows the JWT with
 * all later calls.
 * @param o.service sent along where it is given
 */
export async function signIn(
  api: ApiConnection,
  o: { token: string; service?: object | undefined },
  signal?: AbortSignal,
): Promise<Omit<ApiSession, 'jwt'>> {
  api.token = o.token;
  const body = { token: o.token, ...(o.service && { service: o.service }) };
  const call = { method: 'POST', path: '/auth/consumer/builtin/signin', body, signal } as const;
  const { json, headers } = await api.answer(call, { anonymous: true });
  const session = readSession(json, headers['x-api-pub-signing-key']);
  if (!session) throw notOfTheApi(call);
  const { jwt, ...known } = session;
  api.credential = { secret: jwt, headers: { Authorization: `Bearer ${jwt}` } };
  return known;
}
