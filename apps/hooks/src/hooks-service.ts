import type { HooksConfig } from '@cds/config';
import { refusalOfRedis } from '@cds/hooks-store';
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
import {
  createSessionForWorkers,
  createWorkerProcesses,
} from './worker-processes/start-worker-processes';

/** How long the first registration waits for Redis. */
const REDIS_READY_MS = 2_000;

export type HooksService = Awaited<ReturnType<typeof createHooks>>;

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
) {
  const workers = createWorkerProcesses(main ? 0 : config.workers - 1, logger);
  const ending = new AbortController();
  const own = { isOurs: false };
  const monitoring = createMonitoring(config.api);
  const resources = createResources({
    ...{ config, logger, timing, monitoring, onUnusable, tracing, main },
    metricsOfWorkers: workers.metrics,
    isOurs: () => own.isOurs,
  });
  const { redis, api, registration, queues, metrics } = resources;
  ending.signal.addEventListener('abort', watchSecrets(resources));
  const loss = 'Redis may lose deliveries';
  const redisHealth = watchRedisHealth(redis, { logger, loss, onClusterMode: onUnusable });

  const modules = HOOK_MODULES.flatMap((module) => module.create?.(resources) ?? []);
  const handleTasks = createHandleTasks(modules, logger);
  const work = createWorkWhileOurs(resources, modules, {
    ending: ending.signal,
    // A queue that several processes consume has no order.
    receives: !main,
  });
  const state = await createState(resources, {
    ...{ own, handleTasks, ending: ending.signal, ours: work.start, lost: work.pause },
  });
  const webhooks = createWebhookHandler(resources, state);
  createStoredMetrics(resources, state.whyNoWrites);
  monitoring.watch(registration);
  monitoring.add(
    createHooksMonitoring(resources, {
      moreLines: () => [
        ...state.lines(),
        ...webhooks.metrics.lines(),
        ...modules.flatMap((module) => module.statusLines?.() ?? []),
      ],
      redisWarnings: redisHealth.warnings,
      whyNoWrites: state.whyNoWrites,
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
    /** Of the listener for webhooks alone, if configured. */
    publicPort: server.publicPort,
    /** From now on `/mon/ready` answers 503; all else goes on. */
    drain(): void {
      readiness.stop();
      workers.askToStop();
    },
    /** Accepts nothing more, finishes work in progress within `deadlineMs`, and closes. */
    async stop(deadlineMs: number): Promise<void> {
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
