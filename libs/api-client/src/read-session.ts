import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { signIn } from './answer-schemas';

/** What a sign-in gives. */
export interface ApiSession {
  /** Authenticates the service until it expires. */
  jwt: string;
  /** Seconds from its making until it expires. */
  lifetimeSeconds: number;
  /** Verifies the signatures of the API's calls. */
  signingKey: KeyObject;
}

const jwtTimes = z.object({ iat: z.number(), exp: z.number() });

/**
 * Reads the answer of a sign-in.
 * @param signingKey the header `X-Api-Pub-Signing-Key`: base64 of a PEM of PKCS#1
 * @returns undefined where it is not the API's
 */
export function readSession(json: unknown, signingKey: unknown): ApiSession | undefined {
  const answer = signIn.safeParse(json);
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
