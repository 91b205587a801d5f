import { GO_ZERO_TIME, type MonitoringStatus, type ServiceRegistration } from '@cds/wire';
import * as schemas from './answer-schemas';
import { ApiConnection, type ApiConnectionOptions, hashCredential } from './api-connection';
import { type ApiSession, signIn } from './sign-in';

/** CDS answers 401 both to a session that has ended and to a consumer without the scope. */
export const SCOPES_ADVICE =
  'where it goes on, give the consumer of api.token its scopes: ' +
  'Service, Project, Run and Hooks for hooks, Service for vcs';

/** What a service says of itself; the client adds the fields that are always the same. */
export type RegistrationRequest = Pick<
  ServiceRegistration,
  'name' | 'type' | 'http_url' | 'token' | 'monitoring_status' | 'config' | 'version'
>;

/** A service as an API 0.44 and later knows it. */
export type ServiceIdentity = Pick<ServiceRegistration, 'name' | 'type' | 'http_url' | 'config'>;

/** What the API gave a service, as one of its processes tells it to another. */
export type SharedSession =
  /** CDS 0.40 to 0.43. */
  | { kind: 'hash'; hash: string; upToDate: boolean }
  /** CDS 0.44 and later. */
  | {
      kind: 'jwt';
      jwt: string;
      /** PEM. */
      signingKey: string;
      /** Seconds until it expires. */
      lifetimeSeconds: number;
    };

export function secretOf(session: SharedSession): string {
  return session.kind === 'hash' ? session.hash : session.jwt;
}

/** The calls by which a service and the CDS API know each other, of each generation. */
export class RegistrationClient {
  protected readonly connection: ApiConnection;
  #session: SharedSession | undefined;
  /** When the JWT of the session expires (ms, monotonic). */
  #expiresAt = 0;

  constructor(options: ApiConnectionOptions) {
    this.connection = new ApiConnection(options);
  }

  /**
   * `POST /services/register` of CDS 0.40 to 0.43, also the heartbeat. Keeps the hash for all later
   * calls.
   */
  async register(
    registration: RegistrationRequest,
    signal?: AbortSignal,
  ): Promise<Pick<ServiceRegistration, 'hash' | 'up_to_date'>> {
    this.connection.token = registration.token;
    const body: ServiceRegistration = {
      ...{ id: 0, last_heartbeat: GO_ZERO_TIME, hash: '', group_id: null, group: null },
      ...{ is_shared_infra: false, up_to_date: false },
      ...registration,
    };
    // Without the hash, which the API may have forgotten: the token identifies the caller.
    const answer = await this.connection.readable(
      { method: 'POST', path: '/services/register', body, signal },
      schemas.serviceRegistration,
      { anonymous: true },
    );
    this.connection.credential = hashCredential(answer.hash);
    this.#session = { kind: 'hash', hash: answer.hash, upToDate: answer.up_to_date };
    return answer;
  }

  /**
   * `POST /auth/consumer/builtin/signin` of CDS 0.44 and later. Keeps the JWT for all later calls.
   * @param o.service registers it, too, from 0.51 on; an API before refuses it with 403
   */
  async signIn(
    o: { token: string; service?: ServiceIdentity | undefined },
    signal?: AbortSignal,
  ): Promise<Omit<ApiSession, 'jwt'>> {
    const session = await signIn(this.connection, { ...o, advice: SCOPES_ADVICE }, signal);
    const { jwt, lifetimeSeconds } = session;
    const signingKey = session.signingKey.export({ type: 'spki', format: 'pem' }).toString();
    this.#session = { kind: 'jwt', jwt, signingKey, lifetimeSeconds };
    this.#expiresAt = performance.now() + lifetimeSeconds * 1_000;
    return session;
  }

  /** What the last registration or sign-in gave; undefined before the first. */
  session(): SharedSession | undefined {
    if (this.#session?.kind !== 'jwt') return this.#session;
    const leftMs = Math.max(0, this.#expiresAt - performance.now());
    return { ...this.#session, lifetimeSeconds: leftMs / 1_000 };
  }

  /** `POST /services/register` of CDS 0.44 to 0.50, after the sign-in. */
  async registerService(
    service: ServiceIdentity & { version: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const body = {
      ...{ id: 0, last_heartbeat: GO_ZERO_TIME, monitoring_status: { now: GO_ZERO_TIME } },
      ...service,
    };
    await this.connection.call({ method: 'POST', path: '/services/register', body, signal });
  }

  /**
   * `POST /services/heartbeat` of CDS 0.44 and later. The API answers 403 when it has removed the
   * service, after 180 s without one.
   */
  async heartbeat(status: MonitoringStatus, signal?: AbortSignal): Promise<void> {
    const path = '/services/heartbeat';
    await this.connection.call({ method: 'POST', path, body: status, signal });
  }
}
