import {
  constants,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';

/** The keys that an API signs with: the newest makes signatures, all of them verify tokens. */
export interface SigningKeys {
  /** PEM, PKCS#1: `BEGIN RSA PUBLIC KEY`. */
  publicKey(): string;
  /** A compact JWS of `payload`, PS512: what a consumer's token is. */
  signJws(payload: unknown): string;
  /** A JWT, RS512. */
  signJwt(claims: unknown): string;
  /** The payload of what one of the keys has signed; undefined for anything else. */
  verify(token: string, algorithm: 'PS512' | 'RS512'): unknown;
  /** RSASSA-PKCS1-v1_5 with SHA-256, base64: what an HTTP signature is. */
  signText(text: string): string;
  /** Signs with a new key. The keys before it verify as before, unless they are forgotten. */
  rotate(options?: { forgetOld?: boolean }): void;
  /** Nobody signs any more. */
  close(): void;
}

const SIGNATURE = {
  PS512: {
    header: { alg: 'PS512' },
    how: {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    },
  },
  RS512: {
    header: { alg: 'RS512', typ: 'JWT' },
    how: { padding: constants.RSA_PKCS1_PADDING },
  },
} as const;

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** A key takes long to make: those of APIs that are closed are used again. */
const spare: KeyObject[] = [];

const newKey = (): KeyObject =>
  spare.pop() ?? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

export function createSigningKeys(): SigningKeys {
  let keys = [newKey()];
  const forgotten: KeyObject[] = [];
  const newest = (): KeyObject => keys.at(-1) as KeyObject;

  function signToken(payload: unknown, algorithm: keyof typeof SIGNATURE): string {
    const { header, how } = SIGNATURE[algorithm];
    const signed = `${base64url(header)}.${base64url(payload)}`;
    const signature = sign('sha512', Buffer.from(signed), { key: newest(), ...how });
    return `${signed}.${signature.toString('base64url')}`;
  }

  return {
    publicKey: () => createPublicKey(newest()).export({ type: 'pkcs1', format: 'pem' }).toString(),
    signJws: (payload) => signToken(payload, 'PS512'),
    signJwt: (claims) => signToken(claims, 'RS512'),
    verify(token, algorithm) {
      const [header = '', payload = '', signature = '', ...more] = token.split('.');
      if (more.length > 0 || algorithmOf(header) !== algorithm) return undefined;
      const { how } = SIGNATURE[algorithm];
      const isSigned = keys.some((key) =>
        verify(
          'sha512',
          Buffer.from(`${header}.${payload}`),
          { key: createPublicKey(key), ...how },
          Buffer.from(signature, 'base64url'),
        ),
      );
      return isSigned ? jsonIn(payload) : undefined;
    },
    signText: (text) => sign('sha256', Buffer.from(text), newest()).toString('base64'),
    rotate({ forgetOld = false } = {}) {
      if (forgetOld) forgotten.push(...keys);
      keys = [...(forgetOld ? [] : keys), newKey()];
    },
    close: () => void spare.push(...forgotten.splice(0), ...keys),
  };
}

function algorithmOf(header: string): unknown {
  return (jsonIn(header) as { alg?: unknown } | undefined)?.alg;
}

function jsonIn(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
