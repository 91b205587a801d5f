import { createPublicKey } from 'node:crypto';
import { GO_ZERO_TIME, type ServiceRegistration } from '@cds/wire';
import { bearer, hashCredential } from './api-connection';
import { CdsApiClient, type CdsApiOptions } from './cds-api-client';
import type { ApiSession } from './read-session';
import { type RegistrationRequest, SCOPES_ADVICE } from './registration-client';
import { type AskForSession, type SharedSession, secretOf } from './shared-session';

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

  override async register(request: RegistrationRequest): Promise<ServiceRegistration> {
    const session = await this.#session('hash');
    this.connection.token = request.token;
    this.connection.credential = hashCredential(session.hash);
    return {
      ...{ id: 0, last_heartbeat: GO_ZERO_TIME, group_id: null, group: null },
      ...request,
      ...{ is_shared_infra: true, hash: session.hash, up_to_date: session.upToDate },
    };
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
