import { setTimeout as sleep } from 'node:timers/promises';
import { isConsumerToken } from '@cds/wire';
import { buildInfo } from '../build-info';
import type { Callers } from '../http/create-guard';
import type { Logger } from '../logs/create-logger';
import type { SessionDeps } from './api-session';
import { ConsumerRefusedError } from './token-refusal';
import { createFailureCount, type FailureCountDeps } from './create-failure-count';
import { createHeartbeatMetrics } from './heartbeat-metrics';
import { createKnownHashes, type KnownHashes } from './known-hashes';
import { createConsumerSession } from './consumer-session';
import { createSharedInfraSession } from './shared-infra-session';
import type { Metrics } from '../metrics/create-metrics';

/** The API deletes a service that was silent for 180 s. */
const INTERVAL_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export interface RegistrationDeps
  extends FailureCountDeps, Omit<SessionDeps, 'hashes' | 'renewNow' | 'logger'> {
  logger: Logger;
  /** What this process is given alone when not given. */
  hashes?: KnownHashes;
  /** Called once where the API refuses the name or the type before the first success. */
  onRefusedForGood?: (error: ConsumerRefusedError) => void;
  /** Another process registers, and tells its session: see `FollowingApiClient`. */
  isShared?: boolean;
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

export type Registration = ReturnType<typeof createRegistration>;

/**
 * Registers the service with the CDS API, waits for an API that is not up, and stays registered.
 */
export function createRegistration(deps: RegistrationDeps) {
  const { logger, identity, intervalMs = INTERVAL_MS, firstRetryMs = FIRST_RETRY_MS } = deps;
  const lifetime = new AbortController();
  const listeners = new Set<() => void>();
  const hashes = deps.hashes ?? createKnownHashes({ logger });
  const createSession = isConsumerToken(deps.token())
    ? createConsumerSession
    : createSharedInfraSession;
  const session = createSession({ ...deps, hashes, renewNow: () => register('renew') });
  const failures = createFailureCount(deps, session.adviceFor);
  const count =
    deps.metrics && createHeartbeatMetrics(deps.metrics, identity.type, () => failures.inARow);
  let started = false;
  let registered = false;
  let underWay: Promise<void> | undefined;
  let resolveFirst: () => void = () => undefined;
  const firstSuccess = new Promise<void>((resolve) => (resolveFirst = resolve));

  const sendAndNotify = async (how: 'heartbeat' | 'renew'): Promise<void> => {
    try {
      await session[how](lifetime.signal);
      count?.('ok');
    } catch (error) {
      if (!lifetime.signal.aborted) count?.('failed');
      throw error;
    } finally {
      // Before anybody hears of it: who registers in answer to this wants a new registration.
      underWay = undefined;
    }
    failures.reset();
    if (!registered)
      logger.info(
        {
          name: identity.name,
          version: buildInfo().version,
          reportedVersion: session.version.reported,
        },
        deps.isShared ? 'session of the main process taken' : 'registered with the CDS API',
      );
    registered = true;
    resolveFirst();
    for (const listener of listeners) listener();
  };
  const register = (how: 'heartbeat' | 'renew'): Promise<void> => (underWay ??= sendAndNotify(how));

  const isOver = () => lifetime.signal.aborted;
  const keepRegistered = async (): Promise<void> => {
    for (let attempt = 0; !isOver(); attempt++) {
      try {
        await register('heartbeat');
      } catch (error) {
        if (isOver()) return;
        if (!registered && error instanceof ConsumerRefusedError && deps.onRefusedForGood)
          return deps.onRefusedForGood(error);
        failures.add(error, registered);
      }
      const pauseMs = registered ? intervalMs : Math.min(firstRetryMs * 2 ** attempt, MAX_RETRY_MS);
      await sleep(pauseMs, undefined, { signal: lifetime.signal }).catch(() => undefined);
    }
  };

  return {
    /** Registers and keeps sending heartbeats, in the background. */
    start(): void {
      if (started) return;
      started = true;
      void keepRegistered();
    },
    stop: (): void => lifetime.abort(new Error('the service is stopping')),
    /** Registers now, after a 401. Concurrent calls share one. Rejects with an `ApiError`. */
    registerNow: () => register('renew'),
    /** Who may call the guarded routes. */
    callers: session satisfies Required<Callers>,
    /** The version of the API; empty while it is not known. */
    get apiVersion(): string {
      return session.version.ofApi;
    },
    get failuresInARow(): number {
      return failures.inARow;
    },
    get registered(): boolean {
      return registered;
    },
    /** Resolves at the first success; does not reject. */
    firstRegistration: () => firstSuccess,
    /** Calls `listener`, which must not throw, after every success; returns what ends it. */
    onHeartbeat(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
