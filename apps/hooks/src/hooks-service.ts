import { CdsApiClient } from '@cds/api-client';
import { type HooksConfig, publicConfig } from '@cds/config';
import { connectRedis, watchRedisHealth, whenReady, withoutKeyPrefix, errorText } from '@cds/redis';
import {
  createFastPathRoute,
  whileOurs,
  createKnownHashes,
  createMetrics,
  createMonitoring,
  createRegistration,
  limitStrangers,
  type Logger,
} from '@cds/service';
import { createAdminService } from './admin/admin-service';
import { createCleanupQueue } from './modules/branch-cleanup/cleanup-queue';
import { createSpareBranches } from './modules/branch-cleanup/cancel-cleanups';
import { createApiWaiters } from './queue/api-outage';
import { createDrainQueue } from './queue/hook-queue';
import {
  createExecutionStore,
  createOutgoingStore,
  createOneForAll,
  createMend,
  createRegistrationHashes,
} from '@cds/hooks-store';
import { isDrainJobId } from './queue/job-ids';
import { getApp, getPublicApp } from './get-app';
import type { TaskListeners } from './modules/task-listener';
import { createCheckPolling } from './modules/poller/check-polling';
import { createPollTasks } from './modules/poller/poll-task-listener';
import { createApiCaller } from './queue/call-api';
import { createHooksMonitoring } from './monitoring/hooks-monitoring';
import { measureRuns } from './monitoring/run-metrics';
import { createStoredMetrics } from './monitoring/stored-metrics';
import { createWorkMetrics } from './monitoring/work-metrics';
import { createQueues } from './modules/rabbitmq/create-queues';
import { createScheduleTasks } from './modules/scheduler/schedule-task-listener';
import { createUpcoming } from './tasks/next-run';
import { createExecuteOutgoing } from './modules/outgoing/accept-outgoing';
import { createTargetGuard } from '@cds/network';
import { listenAll } from './listen-all';
import type { Timing } from './start-work';
import { createState } from './state/create-state';
import { createStores } from './state/create-stores';
import { createWorks } from './create-works';
import { createTaskService } from './tasks/task-service';
import { createUnreadableReports } from './monitoring/report-unreadable';
import { createWebhookHandler } from './webhooks/handle-webhook';
import { networkOf } from './webhooks/refusal-limit';
import { isWebhookUrl, uuidOfWebhookUrl } from './webhooks/webhook-router';

/** How long the first registration waits for Redis. */
const REDIS_READY_MS = 2_000;

export interface HooksService {
  port: number;
  /** Of the listener that serves webhooks alone, where there is one. */
  publicPort?: number;
  /** Stops taking, finishes what is under way, closes; lets go of what is left after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Builds and starts the service: HTTP first, so that webhooks are accepted for the tasks in Redis whatever the API
 * does; Redis, registration and synchronization follow in the background.
 *
 * @param onClusterMode called when the first Redis that answers is in cluster mode, with which no
 *   work can begin
 */
export async function createHooks(
  config: HooksConfig,
  logger: Logger,
  timing: Timing = {},
  onClusterMode?: () => void,
): Promise<HooksService> {
  const now = Date.now;
  const ending = new AbortController();
  const { retryError, executionHistory, urlPublic, disable: disabled } = config;

  const connection = { redis: config.redis, logger, name: config.name };
  const redis = connectRedis(connection, 'client');
  const redisHealth = watchRedisHealth(redis, {
    ...{ logger, loss: 'Redis may lose deliveries', onClusterMode },
  });
  const api = new CdsApiClient(config.api);

  const unreadable = createUnreadableReports(logger);
  const mend = createMend({ redis, told: unreadable.setAside });

  const { keyPrefix } = config.redis;
  // BullMQ refuses a connection with a key prefix; where there is none, one connection does.
  const queueRedis =
    keyPrefix === ''
      ? redis
      : connectRedis(withoutKeyPrefix({ ...connection, name: `${config.name}-queues` }), 'client');
  const drainQueue = createDrainQueue({ redis: queueRedis, keyPrefix, logger });
  const cleanupQueue = createCleanupQueue({ redis: queueRedis, keyPrefix, logger });
  const waiters = createApiWaiters({
    redis,
    logger,
    queueOf: (jobId) => (isDrainJobId(jobId) ? drainQueue.queue : cleanupQueue.queue),
  });
  const stores = createStores({ redis, config, mend, unreadable, leaseMs: timing.leaseMs });
  const { deliveries, cleanupStore, waiting, waitingHeads, tasks, schedules, polls } = stores;

  const metrics = createMetrics({ service: 'hooks' });
  createStoredMetrics({ redis, metrics, whyNoWrites: () => state.whyNoWrites() });
  const workMetrics = createWorkMetrics({ metrics, logger });
  const cleanupCancelled = () => workMetrics.cleanupEnded('cancelled');
  const workArrived = (uuid: string, waiting: number) => {
    if (!disabled) drainQueue.arrived(uuid, waiting);
  };
  const webhooks = createWebhookHandler({
    store: deliveries,
    mode: config.signature,
    keys: config.webhookKeys,
    enqueue: workArrived,
    whyNone: () => state.whyNoDelivery(),
    askForHooks: () => void state.askedByDelivery(),
    metrics,
    logger,
    now,
  });
  const { maxHeartbeatFailures } = config.api;
  const monitoring: ReturnType<typeof createMonitoring> = createMonitoring({
    extra: createHooksMonitoring({
      redis,
      disabled,
      executionHistory,
      moreLines: () => [...state.lines(), ...webhooks.metrics.lines(), ...queues.lines()],
      redisWarnings: redisHealth.warnings,
      whyNoWrites: () => state.whyNoWrites(),
    }),
    registration: {
      get failuresInARow() {
        return registration.failuresInARow;
      },
      get registered() {
        return registration.registered;
      },
    },
    maxHeartbeatFailures,
  });
  const registration = createRegistration({
    api,
    logger,
    identity: { name: config.name, type: 'hooks', url: config.url },
    token: config.api.token,
    config: publicConfig('hooks', config),
    monitoring,
    maxHeartbeatFailures,
    hashes: createKnownHashes({
      store: whileOurs(createRegistrationHashes(redis, config.name), () => state.isOurs()),
      logger,
    }),
    metrics,
    intervalMs: timing.heartbeatMs,
    firstRetryMs: timing.firstRetryMs,
  });

  const store = deliveries;
  const queues = createQueues({
    ...{ redis, api, store, workArrived, metrics, logger, now, timing },
    guard: createTargetGuard(config.outgoing),
    isOurs: () => state.isOurs(),
  });
  const listeners: TaskListeners = {
    Scheduler: createScheduleTasks({ store: schedules }),
    RabbitMQ: queues.listener,
    RepoPoller: createPollTasks({ store: polls }),
    // Also where they are not polled: they may have been, before the configuration was changed.
    RepoWebHook: createPollTasks({ store: polls }),
  };

  const works = createWorks({
    ...{ config, logger, timing, now, api, registration, redis, connection, waiters },
    ...stores,
    ...{ drainQueue, cleanupQueue, mend, workMetrics, cleanupCancelled },
    ...{ runsApi: measureRuns(api, metrics), ending: ending.signal },
  });
  const state = await createState({
    ...{ redis, config, api, registration, logger, now, tasks, listeners, urlPublic },
    ...{ recentMs: timing.recentMs, secondLookMs: timing.secondLookMs },
    ...{ everyMs: timing.sweepMs, askAgainMs: timing.askAgainMs },
    oneForAll: createOneForAll({ redis }),
    ending: ending.signal,
    ours: () => {
      works.start();
      void registration.firstRegistration().then(queues.start);
    },
    lost: works.pause,
  });

  const admin = createAdminService({
    redis,
    mend,
    drainQueue,
    cleanupQueue,
    cleanups: cleanupStore,
    logger,
    now,
    disabled,
  });
  const app = getApp({
    logger,
    registration,
    monitoring,
    metrics,
    trustedProxies: config.http.trustedProxies,
    handleWebhook: webhooks.handle,
    adminService: admin,
    sharedMs: timing.sharedMs,
    executeOutgoing: createExecuteOutgoing({
      store: createOutgoingStore({ redis, tasks, mend }),
      workArrived: (uuid) => {
        if (!disabled) drainQueue.goOnSoon(uuid);
      },
      logger,
      now,
    }),
    state: { refusal: () => state.guard.refusal(), isSynchronized: () => state.isSynchronized() },
    taskService: createTaskService({
      tasks,
      listeners,
      executions: createExecutionStore({ redis, executionHistory, mend }),
      checkPolling: createCheckPolling({
        api,
        callApi: createApiCaller({ registration, logger }),
        store: polls,
      }),
      upcoming: createUpcoming({ store: schedules, polls }),
      cleanups: cleanupStore,
      spareBranches: createSpareBranches({
        waiting,
        store: cleanupStore,
        logger,
        cancelled: cleanupCancelled,
      }),
      drainQueue,
      cleanupQueue,
      logger,
      now,
      urlPublic,
      retryError,
      disabled,
    }),
  });
  const { trustedProxies } = config.http;
  const limited = {
    callers: registration,
    isExempt: isWebhookUrl,
    ...{ trustedProxies, networkOf, logger },
  };
  const { handle } = webhooks;
  const fastPath = { match: uuidOfWebhookUrl, handle, trustedProxies };
  const server = await listenAll({
    ...{ config: config.http, logger },
    everything: createFastPathRoute({ ...fastPath, app: limitStrangers(app, limited), logger }),
    webhooks: createFastPathRoute({
      ...fastPath,
      app: limitStrangers(getPublicApp({ handle, trustedProxies, logger }), limited),
      logger,
    }),
  });

  if (disabled) logger.warn({}, 'hooks.disable is set: deliveries are accepted and wait');
  api.onSuccess(waiters.apiAnswered);
  registration.onHeartbeat(waiters.apiAnswered);
  // Else the first registration would tell the API that Redis is away.
  void whenReady(redis, REDIS_READY_MS).then(() => {
    if (!ending.signal.aborted) registration.start();
  });
  // A Redis that comes back may be another one, or have lost its tasks, and webhooks are refused
  // without them.
  const connected = async (): Promise<void> => {
    await redisHealth.usable;
    if (!(await state.connected())) return;
    void admin.adopt();
    // What a version left that did not keep since when deliveries wait.
    await waitingHeads.noteAll().catch((error: unknown) => {
      logger.debug({ error: errorText(error) }, 'not looked since when deliveries wait');
    });
  };
  redis.on('ready', () => void connected());
  if (redis.status === 'ready') void connected();
  void redisHealth.usable.then(state.start);

  return {
    port: server.port,
    publicPort: server.publicPort,
    async stop(deadlineMs) {
      const until = Date.now() + deadlineMs;
      ending.abort();
      registration.stop();
      state.stop();
      waiters.stop();
      await Promise.all([
        queues.stop(),
        server.close(Math.max(0, until - Date.now() - 1_000)),
        works.stop(Math.max(0, until - Date.now() - 2_000)),
      ]);
      await Promise.race([
        Promise.allSettled([drainQueue.close(), cleanupQueue.close()]),
        new Promise((resolve) => setTimeout(resolve, 500).unref()),
      ]);
      redis.disconnect();
      if (queueRedis !== redis) queueRedis.disconnect();
      api.close();
    },
  };
}
