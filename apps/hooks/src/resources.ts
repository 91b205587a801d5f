import { CdsApiClient, FollowingApiClient } from '@cds/api-client';
import { type HooksConfig, publicConfig } from '@cds/config';
import {
  createCleanupStore,
  createDeliveryStore,
  createExecutionStore,
  createKnownChanges,
  createKeyRepair,
  createOutgoingStore,
  createPollStore,
  createScheduleStore,
  createTaskStore,
  createRefusalStore,
  createRegistrationHashes,
} from '@cds/hooks-store';
import { connectRedis, createMissingRights } from '@cds/redis';
import {
  createKnownHashes,
  createMetrics,
  createRegistration,
  type Logger,
  maxEntries,
  type Monitoring,
  type ProcessMetrics,
  whileOurs,
} from '@cds/service';
import type { Tracing } from '@cds/tracing';
import { isConsumerToken } from '@cds/wire';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { createApiCaller } from './queue/call-api';
import { createQueues } from './queue/create-queues';
import { createIntakeLoad } from './queue/intake-load';
import { createWorkMetrics } from './queue/work-metrics';
import type { Timing } from './timing';
import type { MainProcess } from './worker-processes/follow-main-process';

/** Between two log lines about one task that cannot be read. */
const REPORT_EVERY_MS = 300_000;
const MAX_REPORTED = 10_000;

/** Shared by all parts of the service. */
export type Resources = ReturnType<typeof createResources>;

/**
 * @param monitoring for heartbeats
 * @param isOurs whether the state in Redis is that of this CDS
 */
export function createResources(deps: {
  config: HooksConfig;
  logger: Logger;
  timing: Timing;
  monitoring: Monitoring;
  isOurs: () => boolean;
  /** Called where only another configuration can help. */
  onUnusable?: (() => void) | undefined;
  tracing?: Tracing | undefined;
  /** In a worker process. */
  main?: MainProcess | undefined;
  /** Of a main process with worker processes: what these count. */
  metricsOfWorkers?: (() => Promise<ProcessMetrics[]>) | undefined;
}) {
  const { config, logger, timing, tracing, main } = deps;
  const missingRights = createMissingRights({ logger });
  const redis = connectRedis(
    { redis: config.redis, logger, name: config.name, missingRights },
    'client',
  );
  const apiOptions = { ...config.api, traceHeaders: tracing?.headers };
  const api = main
    ? new FollowingApiClient(apiOptions, main.session)
    : new CdsApiClient(apiOptions);
  const metrics = createMetrics({
    service: 'hooks',
    others: main
      ? { text: main.metricsText }
      : deps.metricsOfWorkers && { values: deps.metricsOfWorkers },
  });
  main?.answerMetrics(metrics.values);
  metrics
    .gauge({
      name: 'cds_hooks_processes',
      help: 'Processes of this service that run: see `workers`.',
      aggregator: 'sum',
    })
    .set(1);
  // An API that signs its calls gives no hash.
  const hashStore = isConsumerToken(config.api.token)
    ? undefined
    : whileOurs(createRegistrationHashes(redis, config.name), deps.isOurs);
  const registration = createRegistration({
    api,
    logger,
    isShared: main !== undefined,
    identity: { name: config.name, type: 'hooks', url: config.url },
    token: () => config.api.token,
    generation: config.api.generation,
    config: publicConfig('hooks', config),
    monitoring: deps.monitoring.status,
    maxHeartbeatFailures: config.api.maxHeartbeatFailures,
    hashes: createKnownHashes({ store: hashStore, logger }),
    metrics,
    onRefusedForGood(error) {
      logger.error({ err: error }, 'CDS API refuses this service: exiting');
      deps.onUnusable?.();
    },
    intervalMs: timing.heartbeatMs,
    firstRetryMs: timing.firstRetryMs,
  });
  return {
    config,
    logger,
    timing,
    tracing,
    /** Milliseconds. */
    now: Date.now,
    redis,
    missingRights,
    api,
    registration,
    callApi: createApiCaller({ registration, logger }),
    stores: createStores(redis, config, timing, logger),
    intakeLoad: createIntakeLoad(),
    queues: createQueues({ redis, config, logger, missingRights }),
    metrics,
    workMetrics: createWorkMetrics({ metrics, logger }),
  };
}

function createStores(redis: Redis, config: HooksConfig, timing: Timing, logger: Logger) {
  const { executionHistory, deadLetters, signature, reconcile } = config;
  const setAside =
    'a key in Redis holds another type of value: it is set aside, look at it under its new name';
  const leftOut = 'a task in Redis cannot be read and is left out of the list: save its workflow';
  const reported = new LRUCache<string, true>({
    ...maxEntries(MAX_REPORTED),
    ttl: REPORT_EVERY_MS,
  });
  const keyRepair = createKeyRepair({ redis, told: (key) => logger.error(key, setAside) });
  const reconcileSeconds = reconcile.intervalSeconds;
  const tasks = createTaskStore({
    ...{ redis, keyRepair },
    unreadable(uuid) {
      if (reported.has(uuid)) return;
      reported.set(uuid, true);
      logger.warn({ hook: uuid }, leftOut);
    },
  });
  return {
    keyRepair,
    tasks,
    deliveries: createDeliveryStore({ redis, executionHistory, deadLetters, signature, keyRepair }),
    refusals: createRefusalStore({ redis }),
    executions: createExecutionStore({ redis, executionHistory, keyRepair }),
    cleanups: createCleanupStore({ redis, deadLetters, keyRepair }),
    schedules: createScheduleStore({ redis, executionHistory, keyRepair }),
    polls: createPollStore({ redis, reconcileSeconds, leaseMs: timing.leaseMs, keyRepair }),
    knownChanges: createKnownChanges({ redis, keyRepair, on: reconcileSeconds > 0 }),
    outgoing: createOutgoingStore({ redis, tasks, keyRepair }),
  };
}
