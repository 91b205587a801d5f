import type { Router } from 'express';
import type { IncomingHttpHeaders } from 'node:http';
import type { RegisteredService, Scope } from './model';
import type { Sessions } from './sessions/sessions';

/** Who calls the API. */
export interface Caller {
  /** The service that it is; undefined for people, and for a service whose row is gone. */
  service: RegisteredService | undefined;
  /** Whether it is let in where `hooks` is. */
  isHooks: boolean;
  mayRead: boolean;
  /** An administrator, or of a group that may write. */
  mayWrite: boolean;
  hasScope(scope: Scope): boolean;
}

/** A request, as far as who sent it can be seen. */
export interface Credentials {
  method: string;
  headers: IncomingHttpHeaders;
}

/** How services and the API know each other: by hashes, or by sessions and signatures. */
export interface Access {
  /** Routes without authentication: registration, sign-in. */
  entrance: Router;
  /** What is answered to who is known, beside the API's own routes. */
  inside: Router;
  /** @throws ApiRefusal 401, 403 */
  identify(credentials: Credentials): Caller;
  /** The headers by which a service knows the API, and the request. */
  headersFor(
    service: RegisteredService,
    /** `path` with its query, as it goes out */
    call: { method: string; path: string; requestId: string },
  ): Record<string, string>;
  /** The value of `api.token` for a service; the same each time. */
  tokenOf(type: RegisteredService['type'], name: string): string;
  /** Of a CDS that signs services in. */
  sessions?: Sessions;
  close(): void;
}

/** What every kind of access is made of. */
export interface AccessDeps {
  version: () => string;
  apiUrl: () => string;
  inMaintenance: () => boolean;
  /** A service did what the API does not mind and an operator would. */
  onViolation: (sentence: string) => void;
}
