import { createHookLock } from '@cds/hooks-store';
import { connectRedis, createRunTraces, withoutKeyPrefix } from '@cds/redis';
import { moduleOf, planDelivery } from './hook-modules';
import type { RunningModule } from './modules/hook-module';
import { namesEvents } from './modules/repository-webhook/names-events';
import { measureRuns } from './monitoring/run-metrics';
import { createHookWorker } from './queue/hook-worker';
import type { Processor } from './queue/processor';
import { createProcessDelivery } from './queue/process-delivery';
import { createProcessHook } from './queue/process-hook';
import { createRequeueLostJobs } from './queue/requeue-lost-jobs';
import { traceExecutions, traceRuns } from './queue/traces';
import { createVcsReadiness } from './queue/vcs-readiness';
import { createWorkerConnection } from './queue/worker-connection';
import type { Resources } from './resources';

/**
 * Starts to process pending executions, and the work of the modules.
 *
 * @param until aborted when no new work is to begin
 */
function startWork(resources: Resources, modules: readonly RunningModule[], until: AbortSignal) {
  const { config, logger, timing, now, api, callApi, registration } = resources;
  const { redis, missingRights, stores, queues, metrics, workMetrics, tracing } = resources;
  const { keyPrefix } = config.redis;
  const retryDelayMs = config.retryDelaySeconds * 1_000;
  const killing = new AbortController();
  const killed = killing.signal;
  const ending = AbortSignal.any([until, killed]);
  const name = `${config.name}-worker`;
  const connection = { redis: config.redis, logger, missingRights, name };
  const workers = createWorkerConnection(connectRedis(withoutKeyPrefix(connection), 'worker'));
  const { lockHeartbeatMs } = timing;
  const hookLock = createHookLock({ redis, logger, keyRepair: stores.keyRepair, lockHeartbeatMs });
  void hookLock.start();

  const period = { hookLock, workerConnection: workers.connection, ending, killed };
  const works = modules.flatMap((module) => module.work?.(period) ?? []);
  const [cleanups] = works.flatMap((work) => work.cleanups ?? []);
  if (!cleanups) throw new Error('no hook module cleans branches up');
  const measured = measureRuns(api, metrics);
  const processDelivery = createProcessDelivery({
    ...{ callApi, logger, now, retryDelayMs, retryError: config.retryError, ending, killed },
    api: tracing ? traceRuns(measured, tracing, createRunTraces(redis)) : measured,
    store: stores.deliveries,
    cleanups,
    plan: (delivery) =>
      planDelivery({
        ...delivery,
        namesEvents: namesEvents({ version: registration.apiVersion, token: config.api.token }),
      }),
    knownChanges: stores.knownChanges,
    vcsReadiness: createVcsReadiness({
      ...{ api, registration, redis, logger, ending },
      waitMs: timing.vcsMs,
    }),
    ended: workMetrics.executionEnded,
    retried: (reason) => workMetrics.retried('run', reason),
  });
  const processors = Object.fromEntries(
    works.flatMap((work) => Object.entries(work.processors ?? {})),
  );
  // By the type that the hook had when the execution was accepted.
  const processor: Processor = (lock, pending, mayTakeNext) => {
    const isReadable = pending.unreadable === undefined;
    const process = (isReadable && processors[pending.execution.type]) || processDelivery;
    return process(lock, pending, mayTakeNext);
  };
  const worker = createHookWorker({
    ...{ redis, logger, keyPrefix, connection: workers.connection, ending },
    ...{ queue: queues.hooks, apiOutage: queues.apiOutage, lockMs: timing.lockMs },
    processHook: createProcessHook({
      ...{ store: stores.deliveries, hookLock, now, retryDelayMs, ending },
      processor: tracing ? traceExecutions(processor, tracing, now) : processor,
      isInAnyOrder: (type) => moduleOf(type)?.ordering === 'any',
      yields: resources.intakeLoad.isHigh,
    }),
  });
  queues.processAtOnce(worker.arrived);
  const sweep = createRequeueLostJobs({
    ...{ redis, logger, retryDelayMs, hookQueue: queues.hooks, hookLock },
    others: works.flatMap(({ lostJobs }) => lostJobs ?? []),
    everyMs: timing.sweepMs,
  });
  sweep.start();

  return {
    /** Finishes work in progress; other replicas resume what is left after `deadlineMs`. */
    async stop(deadlineMs: number): Promise<void> {
      queues.processAtOnce(undefined);
      sweep.stop();
      await Promise.all([
        ...works.map((work) => work.stop?.(deadlineMs)),
        worker.close(deadlineMs),
      ]);
      hookLock.stop();
      killing.abort();
      workers.disconnect();
    },
  };
}

/** How long work in progress may take when the state has another owner. */
const PAUSE_MS = 2_000;

/** Processes executions while the state in Redis is that of this CDS. */
export function createWorkWhileOurs(
  resources: Resources,
  modules: readonly RunningModule[],
  options: {
    ending: AbortSignal;
    /** Whether modules receive by themselves, and not only what HTTP brings. */
    receives: boolean;
  },
) {
  const { ending, receives } = options;
  let work: ReturnType<typeof startWork> | undefined;
  let isRunning = false;
  let stopping: Promise<void> = Promise.resolve();

  function stop(deadlineMs: number): Promise<void> {
    const before = work;
    work = undefined;
    isRunning = false;
    stopping = Promise.all([
      stopping,
      before?.stop(deadlineMs),
      ...modules.map((module) => module.stop?.()),
    ]).then(() => undefined);
    return stopping;
  }

  return {
    start(): void {
      if (isRunning || ending.aborted) return;
      isRunning = true;
      if (!resources.config.disable) work = startWork(resources, modules, ending);
      if (receives) for (const module of modules) module.start?.();
    },

    /** Until `start` is called again. */
    pause: (): void => void stop(PAUSE_MS),

    stop,
  };
}
