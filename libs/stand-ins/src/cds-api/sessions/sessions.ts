import { randomUUID } from 'node:crypto';
import type { Consumer, ConsumerOptions } from './consumers';
import type { SigningKeys } from './signing-keys';

/** What a person or a test can do to the sessions of an API. */
export interface Sessions {
  /** Makes a consumer, as `cdsctl consumer new` does it. */
  createConsumer(options: ConsumerOptions): Pick<Consumer, 'id' | 'name' | 'token'>;
  /** Removes it with its sessions, as `cdsctl consumer delete` does. */
  deleteConsumer(id: string): void;
  /** Lets so many seconds pass for every session. */
  passTime(seconds: number): void;
  /** Sessions from now on are so long; 3,600 s as the API has it. */
  setSeconds(seconds: number): void;
  /** The API is started with another key. See {@link SigningKeys.rotate}. */
  rotateKey(options?: { forgetOld?: boolean }): void;
  /** PEM, PKCS#1. */
  publicKey(): string;
}

const SECONDS = 3_600;

/** A session: of a consumer, until it expires or is signed out. */
export interface Session {
  id: string;
  consumer: string;
}

export type SessionStore = ReturnType<typeof createSessionStore>;

/** Opens, finds and ends sessions; each is known by its JWT. */
export function createSessionStore(keys: SigningKeys) {
  const open = new Map<string, Session>();
  let seconds = SECONDS;
  let passed = 0;
  const now = (): number => Date.now() / 1_000 + passed;

  return {
    setSeconds: (next: number) => void (seconds = next),
    passTime: (more: number) => void (passed += more),

    /** @returns the JWT, and when it expires */
    open(consumer: string): { jwt: string; expiresAt: Date } {
      const id = randomUUID();
      open.set(id, { id, consumer });
      const issuedAt = Math.floor(now());
      const exp = issuedAt + seconds;
      const claims = { exp, jti: id, iat: issuedAt, iss: 'cds-api', sub: consumer };
      const jwt = keys.signJwt({ ID: id, TokenID: '', ...claims });
      return { jwt, expiresAt: new Date(exp * 1_000) };
    },

    /** The session of a JWT that is signed, not expired, and not signed out. */
    find(jwt: string): Session | undefined {
      const claims = keys.verify(jwt, 'RS512') as { exp: number; jti: string } | undefined;
      return claims && claims.exp > now() ? open.get(claims.jti) : undefined;
    },

    end: (id: string) => void open.delete(id),
  };
}
