import type { HooksConfig } from '@cds/config';
import { createOncePerCluster, refusalOfRedis } from '@cds/hooks-store';
import { watchRedisHealth, whenReady } from '@cds/redis';
import { createMonitoring, createReadiness, type Logger } from '@cds/service';
import type { Tracing } from '@cds/tracing';
import { createAdminService } from './admin/admin-service';
import { createOperatorPages } from './admin/ui/ui-router';
import { getApps } from './get-app';
import { HOOK_MODULES } from './hook-modules';
import { listenAll } from './listen-all';
import { createExecuteOutgoing } from './modules/outgoing/accept-outgoing';
import { createHooksMonitoring } from './monitoring/hooks-monitoring';
import { createStoredMetrics } from './monitoring/stored-metrics';
import { createResources } from './resources';
import { createState } from './state/create-state';
import { createHandleTasks } from './tasks/task-handlers';
import { createTaskService } from './tasks/task-service';
import type { Timing } from './timing';
import { createWebhookHandler } from './webhooks/handle-webhook';
import { watchSecrets } from './watch-secrets';
import { createWorkWhileOurs } from './work-while-ours';
import type { MainProcess } from './worker-processes/follow-main-process';
import { createSessionForWorkers } from './worker-processes/session-for-workers';
import { createWorkerProcesses } from './worker-processes/start-worker-processes';

/** How long the first registration waits for Redis. */
const REDIS_READY_MS = 2_000;

export interface HooksService {
  port: number;
  /** Of the listener for webhooks alone, if configured. */
  publicPort?: number | undefined;
  /** From now on `/mon/ready` answers 503; all else goes on. */
  drain(): void;
  /** Accepts nothing more, finishes work in progress within `deadlineMs`, and closes. */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Builds and starts the service: HTTP first, so that webhooks of stored tasks are accepted without
 * the API. Redis, registration and synchronization follow in the background.
 *
 * @param onUnusable called where only another configuration can help: Redis is in cluster mode, or
 *   the API refuses the name of this service
 * @param main in a worker process: the process that started it, whose ports and session it shares
 */
export async function createHooks(
  config: HooksConfig,
  logger: Logger,
  timing: Timing = {},
  onUnusable?: () => void,
  tracing?: Tracing,
  main?: MainProcess,
): Promise<HooksService> {
  const workers = createWorkerProcesses(main ? 0 : config.workers - 1, logger);
  const ending = new AbortController();
  const own = { isOurs: false };
  const monitoring = createMonitoring(config.api);
  const resources = createResources({
    ...{ config, logger, timing, monitoring, onUnusable, tracing, main },
    metricsOfWorkers: workers.metrics,
    isOurs: () => own.isOurs,
  });
  const { redis, api, registration, stores, queues, metrics, now, intakeLoad } = resources;
  ending.signal.addEventListener('abort', watchSecrets(resources));
  const loss = 'Redis may lose deliveries';
  const redisHealth = watchRedisHealth(redis, {
    ...{ logger, loss },
    onClusterMode: onUnusable,
  });

  const modules = HOOK_MODULES.flatMap((module) => module.create?.(resources) ?? []);
  const handleTasks = createHandleTasks(modules);
  const work = createWorkWhileOurs(resources, modules, {
    ending: ending.signal,
    // A queue that several processes consume has no order.
    receives: !main,
  });
  const state = await createState({
    ...{ redis, config, api, registration, logger, now, own, handleTasks },
    ...{ tasks: stores.tasks, urlPublic: config.urlPublic, ending: ending.signal },
    ...{ recentMs: timing.recentMs, secondLookMs: timing.secondLookMs },
    ...{ everyMs: timing.sweepMs, askAgainMs: timing.askAgainMs },
    oncePerCluster: createOncePerCluster({ redis }),
    ours: work.start,
    lost: work.pause,
  });
  const webhooks = createWebhookHandler({
    store: {
      ...stores.deliveries,
      accept: (delivery) => intakeLoad.during(stores.deliveries.accept(delivery)),
    },
    refusals: stores.refusals,
    ...{ mode: config.signature, keys: config.webhookKeys },
    ...{ metrics, logger, now, tracing, enqueue: queues.stored },
    whyNone: state.whyNoDelivery,
    askForHooks: () => void state.askedByDelivery(),
  });
  createStoredMetrics({ redis, metrics, whyNoWrites: state.whyNoWrites });
  monitoring.watch(registration);
  monitoring.add(
    createHooksMonitoring({
      ...{ redis, disabled: config.disable, executionHistory: config.executionHistory },
      isMaintained: queues.maintenance.isOn,
      moreLines: () => [
        ...state.lines(),
        ...webhooks.metrics.lines(),
        ...modules.flatMap((module) => module.statusLines?.() ?? []),
      ],
      redisWarnings: redisHealth.warnings,
      whyNoWrites: state.whyNoWrites,
      missingRights: resources.missingRights.sentence,
    }),
  );

  const readiness = createReadiness({
    refusal: async () => state.whyNoDelivery() ?? (await refusalOfRedis(redis)),
    sharedMs: timing.sharedMs,
  });
  const adminService = createAdminService(resources);
  const taskService = createTaskService(resources, handleTasks);
  const apps = getApps({
    ...{ logger, metrics, adminService, state, readiness, tracing },
    callers: registration.callers,
    handleWebhook: webhooks.handle,
    monitoring: monitoring.status,
    trustedProxies: config.http.trustedProxies,
    sharedMs: timing.sharedMs,
    executeOutgoing: createExecuteOutgoing(resources),
    taskService,
    pages: createOperatorPages(resources, {
      ...{ admin: adminService, tasks: taskService, handleTasks, monitoring, state },
    }),
  });
  const server = await listenAll({
    ...{ config: config.http, logger, serverOf: main?.server },
    ...apps,
  });
  workers.start({
    session: createSessionForWorkers({ api, registration }),
    server: (name) => (name === 'main' ? server.shared : server.publicShared),
    metricsText: async () => (await metrics.text()).text,
  });

  if (config.disable) logger.warn({}, 'hooks.disable is set: deliveries are accepted and wait');
  api.onSuccess(queues.apiOutage.apiAnswered);
  registration.onHeartbeat(queues.apiOutage.apiAnswered);
  // An earlier registration would report to the API that Redis is away.
  void whenReady(redis, REDIS_READY_MS).then(() => {
    if (!ending.signal.aborted) registration.start();
  });
  // After a reconnect Redis may be another one, or have lost its tasks.
  const connected = () => void redisHealth.usable.then(state.connected);
  redis.on('ready', connected);
  if (redis.status === 'ready') connected();
  void redisHealth.usable.then(state.start);
  void redisHealth.usable.then(queues.maintenance.warnAtStart);

  return {
    port: server.port,
    publicPort: server.publicPort,
    drain() {
      readiness.stop();
      workers.askToStop();
    },
    async stop(deadlineMs) {
      const until = Date.now() + deadlineMs;
      const left = (reservedMs: number) => Math.max(0, until - Date.now() - reservedMs);
      readiness.stop();
      ending.abort();
      registration.stop();
      state.stop();
      queues.apiOutage.stop();
      await Promise.all([
        server.close(left(1_000)),
        work.stop(left(2_000)),
        workers.stop(left(500)),
      ]);
      await queues.close();
      redis.disconnect();
      api.close();
    },
  };
}
