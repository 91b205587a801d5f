import type { CdsApiClient } from '@cds/api-client';
import type { CdsGeneration } from '@cds/config';
import type { CdsError, MonitoringStatus, ServiceType } from '@cds/wire';
import type { Logger } from '../logs/create-logger';
import type { SignedRequest } from './http-signature';
import type { KnownHashes } from './known-hashes';
import type { ReportedVersion } from './reported-version';

export interface SessionDeps {
  api: CdsApiClient;
  logger: Pick<Logger, 'debug' | 'warn'>;
  /** `url` is how the API reaches this service. */
  identity: { name: string; type: ServiceType; url: string };
  /** Read for each sign-in: a changed file of the secret changes a consumer's. */
  token: () => string;
  /** Told by the version of the API when not given. */
  generation?: CdsGeneration | undefined;
  /** The configuration without its secrets. */
  config: Record<string, unknown>;
  monitoring: () => Promise<MonitoringStatus>;
  /** What the API gave: hashes, or its keys. */
  hashes: KnownHashes;
  /** {@link ApiSession.renew} by the registration, once for all who ask. */
  renewNow: () => Promise<void>;
}

/** How a service and a CDS API of one generation know each other. */
export interface ApiSession {
  /** Registers or signs in where that is needed, and sends a heartbeat. Rejects with why not. */
  heartbeat(signal: AbortSignal): Promise<void>;
  /** The same with new credentials, after a 401. */
  renew(signal: AbortSignal): Promise<void>;
  /** Whether the API made this request, as far as is known now. Takes microseconds. */
  isAllowed(request: SignedRequest): boolean;
  /** Whether the request carries what {@link isAllowed} looks at. */
  hasCredentials(request: SignedRequest): boolean;
  /**
   * Resolves when all is known that {@link isAllowed} needs, or cannot be had now. Never rejects.
   * @param refused the request that was refused, if any: the API may have another key
   */
  settled(refused?: SignedRequest): Promise<void>;
  /** Why a request is refused: for the caller, and for the log. */
  refusal(request: SignedRequest): { error: CdsError; reason: string };
  /** The body of an error as this API reads it. */
  errorBody(error: CdsError, requestId: string): object;
  /** What an operator is to do where the API refuses the service. */
  adviceFor(error: unknown): string;
  readonly version: Pick<ReportedVersion, 'ofApi' | 'reported'>;
}
