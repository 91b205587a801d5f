import { randomUUID } from 'node:crypto';
import { sendRequest, type IncomingAnswer } from '../http/send-request';
import type { Access } from './access';
import type { RegisteredService } from './model';
import type { ServiceRegistry } from './service-registry';

/** A call that the API made to a service. */
export interface ServiceCall {
  at: string;
  service: string;
  method: string;
  url: string;
  /** 0: no answer. */
  status: number;
  durationMs: number;
}

/** What a service answered, read as JSON where it has a body. */
export interface ServiceAnswer {
  status: number;
  body: unknown;
  headers: IncomingAnswer['headers'];
  service: string;
}

/** A service refused or did not answer. */
export class ServiceCallError extends Error {
  override readonly name = 'ServiceCallError';
  constructor(
    message: string,
    /** Of the last service that was tried; undefined when none answered. */
    readonly answer?: ServiceAnswer,
  ) {
    super(message);
  }
}

export interface CallOptions {
  method: string;
  /** Path and query, exactly as they go out. */
  path: string;
  body?: unknown;
  /** What a project shows to `vcs`. */
  headers?: Record<string, string>;
  /**
   * Those to call, as they were known at some time; those that are registered now when not given.
   */
  services?: readonly RegisteredService[] | undefined;
  /** A look that is of no interest to anybody who watches the calls. */
  unlogged?: boolean;
}

export interface ServiceCaller {
  /**
   * Calls the first service of a type and, after any error status, the next. @throws
   * ServiceCallError
   */
  call(type: RegisteredService['type'], options: CallOptions): Promise<ServiceAnswer>;
  /** Newest last. */
  calls(): ServiceCall[];
  /** Told of each call when it is over. */
  onCall(listener: (call: ServiceCall) => void): void;
}

/** The API gives a service a minute. */
const DEADLINE_MS = 60_000;
const KEPT = 5_000;
/** From this status on, or without an answer, a call is repeated at once where the API repeats. */
const REPEATED_FROM = 409;

/**
 * How the API calls its services.
 *
 * @param deps.attempts how often all services of a type are asked in all
 *   (https://github.com/ovh/cds/blob/v0.57.0/engine/api/services/http.go)
 */
export function createServiceCaller(deps: {
  registry: ServiceRegistry;
  access: Pick<Access, 'headersFor'>;
  attempts: number;
}): ServiceCaller {
  const { registry, access } = deps;
  const calls: ServiceCall[] = [];
  const listeners: ((call: ServiceCall) => void)[] = [];

  async function callOne(
    service: RegisteredService,
    options: CallOptions,
    requestId: string,
  ): Promise<ServiceAnswer> {
    const started = performance.now();
    const call: ServiceCall = {
      at: new Date().toISOString(),
      service: service.name,
      method: options.method,
      url: options.path,
      status: 0,
      durationMs: 0,
    };
    if (!options.unlogged) calls.push(call);
    if (calls.length > KEPT) calls.shift();
    try {
      const answer = await sendRequest({
        method: options.method,
        url: `${service.url}${options.path}`,
        headers: {
          'User-Agent': 'Go-http-client/1.1',
          'Content-Type': 'application/json',
          ...access.headersFor(service, { ...options, requestId }),
          ...options.headers,
        },
        timeoutMs: DEADLINE_MS,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
      call.status = answer.status;
      return {
        status: answer.status,
        body: parsed(answer.text),
        headers: answer.headers,
        service: service.name,
      };
    } finally {
      call.durationMs = Math.round(performance.now() - started);
      if (!options.unlogged) for (const listener of listeners) listener(call);
    }
  }

  /** Asks the services one after the other. @throws ServiceCallError of the last one */
  async function callEach(
    services: readonly RegisteredService[],
    options: CallOptions,
    requestId: string,
  ): Promise<ServiceAnswer> {
    let last: ServiceCallError | undefined;
    for (const service of services) {
      try {
        const answer = await callOne(service, options, requestId);
        if (answer.status < 400) return answer;
        last = new ServiceCallError(
          `${service.name} answered ${answer.status} to ${options.method} ${options.path}: ${JSON.stringify(answer.body)}`,
          answer,
        );
      } catch (error) {
        last = new ServiceCallError(
          `${service.name} did not answer ${options.method} ${options.path}: ${String(error)}`,
        );
      }
    }
    throw last ?? new Error('There is no service to call');
  }

  return {
    calls: () => [...calls],
    onCall: (listener) => void listeners.push(listener),
    async call(type, options) {
      const services = options.services ?? registry.ofType(type);
      if (services.length === 0) throw new ServiceCallError(`No ${type} service is registered`);
      const requestId = randomUUID();
      for (let attempt = 1; ; attempt += 1)
        try {
          return await callEach(services, options, requestId);
        } catch (error) {
          const status = error instanceof ServiceCallError ? error.answer?.status : undefined;
          if (attempt === deps.attempts || (status ?? REPEATED_FROM) < REPEATED_FROM) throw error;
        }
    },
  };
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
