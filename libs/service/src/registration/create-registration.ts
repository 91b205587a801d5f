import { setTimeout as sleep } from 'node:timers/promises';
import type { CdsApiClient } from '@cds/api-client';
import type { MonitoringStatus, ServiceType } from '@cds/wire';
import { buildInfo } from '../build-info';
import { API_COMPONENT } from '../monitoring-components';
import type { Logger } from '../logs/create-logger';
import { createFailureCount, type FailureCountDeps } from './create-failure-count';
import { createHeartbeatMetrics } from './heartbeat-metrics';
import { createKnownHashes, type KnownHashes } from './known-hashes';
import { createReportedVersion } from './reported-version';
import type { Metrics } from '../metrics/create-metrics';

/** The API deletes a service that was silent for 180 s. */
const INTERVAL_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export interface RegistrationDeps extends FailureCountDeps {
  api: CdsApiClient;
  logger: Logger;
  /** `url` is how the API reaches this service. */
  identity: { name: string; type: ServiceType; url: string };
  token: string;
  /** The configuration without its secrets. */
  config: Record<string, unknown>;
  monitoring: () => Promise<MonitoringStatus>;
  /** The hashes of this process alone when not given. */
  hashes?: KnownHashes;
  /** Counts heartbeats when given. */
  metrics?: Pick<Metrics, 'counter' | 'gauge'> | undefined;
  /** Milliseconds between heartbeats, 30,000 when not given. */
  intervalMs?: number | undefined;
  /**
   * Milliseconds before the second try of the first registration, 1,000 when not given; they grow
   * to 30,000.
   */
  firstRetryMs?: number | undefined;
}

export interface Registration {
  /** Registers and keeps sending heartbeats, in the background. */
  start(): void;
  stop(): void;
  /** Registers now, after a 401. Concurrent calls share one. Rejects with an `ApiError`. */
  registerNow(): Promise<void>;
  /** Whether a request with this `X_AUTH_HEADER` comes from the API. */
  isAllowed(xAuthHeader: string | undefined): boolean;
  /** Resolves when all hashes that were stored are known; see `KnownHashes`. */
  hashesSettled(): Promise<void>;
  readonly failuresInARow: number;
  readonly registered: boolean;
  /** Resolves at the first success; does not reject. */
  firstRegistration(): Promise<void>;
  /** Calls `listener`, which must not throw, after every success; returns what ends it. */
  onHeartbeat(listener: () => void): () => void;
}

/**
 * Registers the service with the CDS API, waits for an API that is not up, and stays registered.
 */
export function createRegistration(deps: RegistrationDeps): Registration {
  const { api, logger, identity, intervalMs = INTERVAL_MS, firstRetryMs = FIRST_RETRY_MS } = deps;
  const lifetime = new AbortController();
  const listeners = new Set<() => void>();
  const failures = createFailureCount(deps);
  const hashes = deps.hashes ?? createKnownHashes({ logger });
  const version = createReportedVersion({ api, logger });
  const counts = deps.metrics
    ? createHeartbeatMetrics({
        metrics: deps.metrics,
        service: identity.type,
        failuresInARow: () => failures.inARow,
      })
    : undefined;
  let started = false;
  let registered = false;
  let underWay: Promise<void> | undefined;
  let resolveFirst: () => void = () => undefined;
  const firstSuccess = new Promise<void>((resolve) => (resolveFirst = resolve));

  const sendOnce = async (): Promise<{ up_to_date: boolean }> => {
    const { now, lines } = await deps.monitoring();
    const answer = await api.register(
      {
        name: identity.name,
        type: identity.type,
        http_url: identity.url,
        token: deps.token,
        monitoring_status: {
          now,
          lines: lines
            // What we think of the API is not for the API.
            .filter(({ component }) => component !== API_COMPONENT)
            .map((line) => version.inLine(line)),
        },
        config: deps.config,
        version: version.reported,
      },
      lifetime.signal,
    );
    hashes.add(answer.hash);
    return answer;
  };

  const send = async (): Promise<void> => {
    const answer = await sendOnce();
    // The API was upgraded, or this is the first time: from now on it gets its own version.
    if (!answer.up_to_date && (await version.refresh(lifetime.signal)))
      version.check(await sendOnce());
    else version.check(answer);
    failures.reset();
    if (!registered)
      logger.info(
        { name: identity.name, version: buildInfo().version, reportedVersion: version.reported },
        'registered with the CDS API',
      );
    registered = true;
  };

  const sendAndNotify = async (): Promise<void> => {
    try {
      await send();
      counts?.ok();
    } catch (error) {
      if (!lifetime.signal.aborted) counts?.failed();
      throw error;
    } finally {
      // Before anybody hears of it: who registers in answer to this wants a new registration.
      underWay = undefined;
    }
    resolveFirst();
    for (const listener of listeners) listener();
  };
  const register = (): Promise<void> => (underWay ??= sendAndNotify());

  const isOver = () => lifetime.signal.aborted;
  const keepRegistered = async (): Promise<void> => {
    for (let attempt = 0; !isOver(); attempt++) {
      try {
        await register();
      } catch (error) {
        if (isOver()) return;
        failures.add(error, registered);
      }
      const pauseMs = registered ? intervalMs : Math.min(firstRetryMs * 2 ** attempt, MAX_RETRY_MS);
      await sleep(pauseMs, undefined, { signal: lifetime.signal }).catch(() => undefined);
    }
  };

  return {
    start() {
      if (started) return;
      started = true;
      void keepRegistered();
    },
    stop: () => lifetime.abort(new Error('the service is stopping')),
    registerNow: register,
    isAllowed(xAuthHeader) {
      return xAuthHeader !== undefined && hashes.includes(xAuthHeader);
    },
    hashesSettled: () => hashes.settled(),
    get failuresInARow() {
      return failures.inARow;
    },
    get registered() {
      return registered;
    },
    firstRegistration: () => firstSuccess,
    onHeartbeat(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
