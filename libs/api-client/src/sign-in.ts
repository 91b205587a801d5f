import { createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { type ApiConnection, bearer, notOfTheApi } from './api-connection';

/** What a sign-in gives. */
export interface ApiSession {
  /** Authenticates the service until it expires. */
  jwt: string;
  /** Seconds from its making until it expires. */
  lifetimeSeconds: number;
  /** Verifies the signatures of the API's calls. */
  signingKey: KeyObject;
}

const NO_KEY =
  'has no X-Api-Pub-Signing-Key; check that api.http.url is the API, ' +
  'and that what stands in front of it passes this header on';

const signInAnswer = z.object({ token: z.string().max(16_384) });
const jwtTimes = z.object({ iat: z.number(), exp: z.number() });

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

/**
 * Reads the answer of a sign-in.
 * @param signingKey the header `X-Api-Pub-Signing-Key`: base64 of a PEM of PKCS#1
 * @returns undefined where it is not the API's
 */
function readSession(json: unknown, signingKey: unknown): ApiSession | undefined {
  const answer = signInAnswer.safeParse(json);
  if (!answer.success || typeof signingKey !== 'string') return undefined;
  const jwt = answer.data.token;
  // The JWT is not verified: it is the API's own, and only the API has to trust it.
  const times = jwtTimes.safeParse(payloadOf(jwt));
  const key = readKey(signingKey);
  if (!times.success || !key) return undefined;
  // The clock of the API may be another: only the difference counts.
  return { jwt, lifetimeSeconds: times.data.exp - times.data.iat, signingKey: key };
}

function payloadOf(jwt: string): unknown {
  const [header, payload, signature, more] = jwt.split('.');
  if (!header || !payload || !signature || more !== undefined || !/^[\w.-]+$/.test(jwt))
    return undefined;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function readKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey(Buffer.from(base64, 'base64'));
    return key.asymmetricKeyType === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}
