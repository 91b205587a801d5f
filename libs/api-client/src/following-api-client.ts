import { createPublicKey } from 'node:crypto';
import { bearer, hashCredential } from './api-connection';
import { CdsApiClient, type CdsApiOptions } from './cds-api-client';
import {
  type RegistrationRequest,
  SCOPES_ADVICE,
  secretOf,
  type SharedSession,
} from './registration-client';
import type { ApiSession } from './sign-in';

/** What a process knows of the session that it has. */
export interface HeldSession {
  /** The hash or the JWT; "" before the first. */
  secret: string;
  /** The API answered 401 to it. */
  isRefused: boolean;
}

/** Asks the process that registers for its session; for another one where it has the same. */
export type AskForSession = (held: HeldSession) => Promise<SharedSession>;

/**
 * The client of a further process of a service. It shows the API the session of the process that
 * registers, and tells the API nothing of itself: a consumer has one session.
 */
export class FollowingApiClient extends CdsApiClient {
  readonly #ask: AskForSession;
  #held: SharedSession | undefined;

  constructor(options: CdsApiOptions, ask: AskForSession) {
    super(options);
    this.#ask = ask;
  }

  override async register({ token }: RegistrationRequest) {
    const { hash, upToDate } = await this.#session('hash');
    this.connection.token = token;
    this.connection.credential = hashCredential(hash);
    return { hash, up_to_date: upToDate };
  }

  override async signIn({ token }: { token: string }): Promise<Omit<ApiSession, 'jwt'>> {
    const { jwt, signingKey, lifetimeSeconds } = await this.#session('jwt');
    this.connection.token = token;
    this.connection.credential = bearer(jwt, SCOPES_ADVICE);
    return { signingKey: createPublicKey(signingKey), lifetimeSeconds };
  }

  override registerService(): Promise<void> {
    return Promise.resolve();
  }

  override heartbeat(): Promise<void> {
    return Promise.resolve();
  }

  async #session<K extends SharedSession['kind']>(
    kind: K,
  ): Promise<Extract<SharedSession, { kind: K }>> {
    const secret = this.#held ? secretOf(this.#held) : '';
    const isRefused = secret !== '' && this.connection.refused === secret;
    const session = await this.#ask({ secret, isRefused });
    if (session.kind !== kind)
      throw new Error(`the process that registers has a session of another kind: ${session.kind}`);
    this.#held = session;
    return session as Extract<SharedSession, { kind: K }>;
  }
}
