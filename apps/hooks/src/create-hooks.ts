import { CdsApiClient } from '@cds/api-client';
import { type HooksConfig, publicConfig } from '@cds/config';
import { connectRedis, watchRedisHealth, whenReady } from '@cds/redis';
import {
  createMetrics,
  createMonitoring,
  createRegistration,
  listen,
  type Logger,
} from '@cds/service';
import { createAdminService } from './admin/admin-service';
import { createBranchCleanups } from './branch-deletions/branch-cleanups';
import { createCleanUpBranch } from './branch-deletions/clean-up-branch';
import { createCleanupQueue } from './branch-deletions/cleanup-queue';
import { createCleanupStore } from './branch-deletions/cleanup-store';
import { createCleanupWorker } from './branch-deletions/cleanup-worker';
import { createSpareBranches } from './branch-deletions/spare-branches';
import { createWaitingDeliveries } from './branch-deletions/waiting-deliveries';
import { createApiCaller } from './executions/api-calls';
import { createApiWaiters } from './executions/api-waiters';
import { createDeliveryStore } from './executions/delivery-store';
import { createDrainQueue } from './executions/drain-queue';
import { createDrainWorker } from './executions/drain-worker';
import { createExecutionStore } from './executions/execution-store';
import { createHookOwnership } from './executions/hook-ownership';
import { isDrainJobId } from './executions/job-ids';
import { createSweep } from './executions/sweep';
import { createWorkOffDelivery } from './executions/work-off-delivery';
import { createWorkOffHook } from './executions/work-off-hook';
import { createWorkerConnection } from './executions/worker-connection';
import { errorText } from './error-text';
import { getApp } from './get-app';
import { createHooksMonitoring } from './monitoring/hooks-monitoring';
import { createWorkMetrics } from './monitoring/work-metrics';
import { synchronizeUntilDone } from './tasks/synchronize-tasks';
import { createTaskService } from './tasks/task-service';
import { createTaskStore } from './tasks/task-store';
import { createIntake } from './webhooks/create-intake';

/** How long the first registration waits for Redis. */
const REDIS_READY_MS = 2_000;

/** Times that tests shorten. */
export interface Timing {
  /** BullMQ's lock and stall check. */
  lockMs?: number;
  beatMs?: number;
  sweepMs?: number;
  heartbeatMs?: number;
  firstRetryMs?: number;
  /** How long the API may take to list a hook that it posted. */
  recentMs?: number;
}

export interface HooksService {
  port: number;
  /** Stops taking, finishes what is under way, closes; lets go of what is left after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Builds and starts the service: HTTP first, so that webhooks are accepted for the tasks in Redis whatever the API
 * does; Redis, registration and synchronization follow in the background.
 */
export async function createHooks(
  config: HooksConfig,
  logger: Logger,
  timing: Timing = {},
): Promise<HooksService> {
  const now = Date.now;
  const ending = new AbortController();
  const killed = new AbortController();
  const retryDelayMs = config.retryDelaySeconds * 1000;
  const { retryError, executionHistory, urlPublic, disable: disabled } = config;

  const connection = { redis: config.redis, logger, name: config.name };
  const redis = connectRedis(connection, 'client');
  const redisHealth = watchRedisHealth(redis, { logger, loss: 'Redis may lose deliveries' });
  const api = new CdsApiClient(config.api);

  const drainQueue = createDrainQueue({ redis, logger });
  const cleanupQueue = createCleanupQueue({ redis, logger });
  const waiters = createApiWaiters({
    redis,
    logger,
    queueOf: (jobId) => (isDrainJobId(jobId) ? drainQueue.queue : cleanupQueue.queue),
  });
  const deliveries = createDeliveryStore({
    redis,
    executionHistory,
    deadLetters: config.deadLetters,
    signature: config.signature,
  });
  const cleanupStore = createCleanupStore({ redis, deadLetters: config.deadLetters });
  const waiting = createWaitingDeliveries({ redis });
  const tasks = createTaskStore({ redis });

  const metrics = createMetrics({ service: 'hooks' });
  const workMetrics = createWorkMetrics({ redis, metrics, logger });
  const cleanupCancelled = () => workMetrics.cleanupEnded('cancelled');
  const intake = createIntake({
    store: deliveries,
    mode: config.signature,
    keys: config.webhookKeys,
    workArrived: (uuid) => {
      if (!disabled) drainQueue.ensureSoon(uuid);
    },
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
      intakeLines: intake.metrics.lines,
      redisWarnings: redisHealth.warnings,
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
    intervalMs: timing.heartbeatMs,
    firstRetryMs: timing.firstRetryMs,
  });

  const admin = createAdminService({
    redis,
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
    webhooks: intake,
    adminService: admin,
    taskService: createTaskService({
      tasks,
      executions: createExecutionStore({ redis, executionHistory }),
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
  const server = await listen(app, { ...config.http, logger });

  let synchronizing = false;
  const work = disabled ? undefined : startWork();
  if (disabled) logger.warn({}, 'hooks.disable is set: deliveries are accepted and wait');
  api.onSuccess(waiters.apiAnswered);
  registration.onHeartbeat(waiters.apiAnswered);
  // Else the first registration would tell the API that Redis is away.
  void whenReady(redis, REDIS_READY_MS).then(() => {
    if (!ending.signal.aborted) registration.start();
  });
  void registration.firstRegistration().then(synchronize);
  // A Redis that comes back may have lost its tasks, and webhooks are refused without them.
  redis.on('ready', () => {
    if (registration.registered) void synchronize();
    void admin.adopt();
  });

  async function synchronize(): Promise<void> {
    if (synchronizing) return;
    synchronizing = true;
    const { recentMs } = timing;
    await synchronizeUntilDone({ api, tasks, logger, now, urlPublic, recentMs }, ending.signal)
      .catch((error: unknown) => logger.debug({ error: errorText(error) }, 'not synchronized'))
      .finally(() => (synchronizing = false));
  }

  function startWork() {
    const workers = createWorkerConnection(
      connectRedis({ ...connection, name: `${config.name}-worker` }, 'worker'),
    );
    const ownership = createHookOwnership({ redis, logger, beatMs: timing.beatMs });
    const callApi = createApiCaller({ registration });
    const common = { api, callApi, logger, now, retryDelayMs, retryError, killed: killed.signal };
    const delayMs = config.branchDeletion.delaySeconds * 1000;
    const cleanups = createBranchCleanups({
      store: cleanupStore,
      queue: cleanupQueue,
      ownership,
      logger,
      now,
      delayMs,
      cancelled: cleanupCancelled,
    });
    const workOffHook = createWorkOffHook({
      store: deliveries,
      ownership,
      workOffDelivery: createWorkOffDelivery({
        ...common,
        store: deliveries,
        cleanups,
        ending: ending.signal,
        ended: workMetrics.executionEnded,
      }),
      now,
      retryDelayMs,
      ending: ending.signal,
    });
    const cleanUpBranch = createCleanUpBranch({
      ...common,
      redis,
      store: cleanupStore,
      ownership,
      waiting,
      hooksOf: tasks.hooksOf,
      delayMs,
      ended: workMetrics.cleanupEnded,
    });
    const sweep = createSweep({
      redis,
      drainQueue,
      cleanupStore,
      cleanupQueue,
      logger,
      retryDelayMs,
      everyMs: timing.sweepMs,
    });
    const worker = { connection: workers.connection, waiters, logger, lockMs: timing.lockMs };
    const drainWorker = createDrainWorker({ ...worker, redis, queue: drainQueue, workOffHook });
    const cleanupWorker = createCleanupWorker({ ...worker, cleanUpBranch });
    void ownership.start();
    sweep.start();
    return {
      async stop(deadlineMs: number) {
        sweep.stop();
        await Promise.all([drainWorker.close(deadlineMs), cleanupWorker.close(deadlineMs)]);
        ownership.stop();
        killed.abort();
        workers.disconnect();
      },
    };
  }

  return {
    port: server.port,
    async stop(deadlineMs) {
      const until = Date.now() + deadlineMs;
      ending.abort();
      registration.stop();
      waiters.stop();
      await Promise.all([
        server.close(Math.max(0, until - Date.now() - 1_000)),
        work?.stop(Math.max(0, until - Date.now() - 2_000)),
      ]);
      killed.abort();
      await Promise.race([
        Promise.allSettled([drainQueue.close(), cleanupQueue.close()]),
        new Promise((resolve) => setTimeout(resolve, 500).unref()),
      ]);
      redis.disconnect();
      api.close();
    },
  };
}
