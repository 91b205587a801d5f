import type { CdsApiClient } from '@cds/api-client';
import type { HooksConfig } from '@cds/config';
import {
  type Clock,
  type Mend,
  type TaskStore,
  type CleanupStore,
  type DeliveryStore,
  type WaitingHeads,
  type ScheduleStore,
  createHookOwnership,
  createKnownChanges,
  type PollStore,
} from '@cds/hooks-store';
import { connectRedis, withoutKeyPrefix } from '@cds/redis';
import type { Logger, Registration } from '@cds/service';
import type { Redis } from 'ioredis';
import type { CleanupQueue } from './modules/branch-cleanup/cleanup-queue';
import type { WaitingDeliveries } from './modules/branch-cleanup/waiting-branch-changes';
import type { ApiWaiters } from './queue/api-outage';
import type { DrainQueue } from './queue/hook-queue';
import type { WorkMetrics } from './monitoring/work-metrics';
import { createBranchCleanups } from './modules/branch-cleanup/branch-cleanups';
import { createCleanUpBranch } from './modules/branch-cleanup/clean-up-branch';
import { createCleanUpTogether } from './modules/branch-cleanup/clean-up-together';
import { createCleanupWorker } from './modules/branch-cleanup/cleanup-worker';
import { createRemoveRuns } from './modules/branch-cleanup/remove-runs';
import { createApiCaller } from './queue/call-api';
import { createDrainWorker } from './queue/hook-worker';
import { createRequeueCleanups } from './modules/branch-cleanup/requeue-cleanups';
import { isInAnyOrder } from './hook-modules';
import { planDelivery } from './plan-delivery';
import { createSweep } from './queue/requeue-lost-jobs';
import { createVcsReadiness } from './queue/vcs-readiness';
import { createWorkOffDelivery } from './queue/process-delivery';
import { createWorkOffHook } from './queue/process-hook';
import { createWorkerConnection } from './queue/worker-connection';
import { createWorkOffByKind } from './queue/processor';
import { createOffThread } from './modules/outgoing/worker-thread/off-thread';
import { createOutgoingKinds } from './modules/outgoing/outgoing-processors';
import { createPollHook } from './modules/poller/poll-hook';
import { createPoller } from './modules/poller/poller';
import { createRinger } from './modules/scheduler/scheduler-loop';

/** Times that tests shorten. */
export interface Timing {
  /** BullMQ's lock and stall check. */
  lockMs?: number;
  beatMs?: number;
  sweepMs?: number;
  heartbeatMs?: number;
  firstRetryMs?: number;
  /** Between two looks at which queues are to be consumed. */
  queuesMs?: number;
  /** How long a poll may take before another replica makes it. */
  leaseMs?: number;
  /** The shortest pause between two polls of a hook; also the longest after one that brought nothing. */
  pollMs?: number;
  /** How long runs wait for `vcs` after a start. */
  vcsMs?: number;
  /** How long the API may take to list a hook that it posted. */
  recentMs?: number;
  /** How long an answer of `/mon` is shared. */
  sharedMs?: number;
  /** Before a second look may remove more than half of the tasks. */
  secondLookMs?: number;
  /** Before the API is asked again whose the state is. */
  askAgainMs?: number;
}

/** What `createHooks` made, and what works off deliveries needs of it. */
export interface WorkDeps {
  config: HooksConfig;
  logger: Logger;
  timing: Timing;
  now: Clock;
  api: CdsApiClient;
  /** The same, measured where runs are asked for. */
  runsApi: Pick<CdsApiClient, 'runWorkflow'>;
  registration: Registration;
  redis: Redis;
  mend: Mend;
  connection: Omit<Parameters<typeof connectRedis>[0], 'name'>;
  waiters: ApiWaiters;
  drainQueue: DrainQueue;
  cleanupQueue: CleanupQueue;
  deliveries: DeliveryStore;
  cleanupStore: CleanupStore;
  waiting: WaitingDeliveries;
  waitingHeads: WaitingHeads;
  tasks: TaskStore;
  schedules: ScheduleStore;
  polls: PollStore;
  workMetrics: WorkMetrics;
  cleanupCancelled: () => void;
  /** No new work is begun. */
  ending: AbortSignal;
  /** Aborted when there is no time left to wait for anything. */
  killed: AbortController;
}

/** Everything that works off what waits in Redis: deliveries, schedules, cleanups, and the sweep over what got lost. */
export function startWork(deps: WorkDeps) {
  const { config, logger, timing, now, api, registration, redis, connection, waiters } = deps;
  const { drainQueue, cleanupQueue, deliveries, cleanupStore, waiting, waitingHeads } = deps;
  const { mend, tasks, schedules, workMetrics, cleanupCancelled, ending, killed } = deps;
  const { retryError } = config;
  const retryDelayMs = config.retryDelaySeconds * 1000;
  const workers = createWorkerConnection(
    connectRedis(withoutKeyPrefix({ ...connection, name: `${config.name}-worker` }), 'worker'),
  );
  const ownership = createHookOwnership({ redis, logger, mend, beatMs: timing.beatMs });
  const callApi = createApiCaller({ registration, logger });
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
    scheduled: workMetrics.cleanupScheduled,
  });
  const workOffDelivery = createWorkOffDelivery({
    ...common,
    store: deliveries,
    cleanups,
    plan: planDelivery,
    knownChanges: createKnownChanges({ redis, mend, on: config.reconcile.intervalSeconds > 0 }),
    ending: ending,
    api: deps.runsApi,
    vcsReadiness: createVcsReadiness({
      ...{ api, registration, logger, ending },
      waitMs: timing.vcsMs,
    }),
    ended: workMetrics.executionEnded,
    retried: (reason) => workMetrics.retried('run', reason),
  });
  const offThread = createOffThread();
  const workOffHook = createWorkOffHook({
    store: deliveries,
    ownership,
    workOff: createWorkOffByKind(
      createOutgoingKinds(config.outgoing, {
        ...common,
        proxies: config.proxies,
        store: deliveries,
        ending: ending,
        metrics: workMetrics,
        resume: drainQueue.goOnSoon,
        offThread,
      }),
      workOffDelivery,
    ),
    isInAnyOrder,
    now,
    retryDelayMs,
    ending: ending,
  });
  const removeRuns = createRemoveRuns({
    ...common,
    store: cleanupStore,
    ended: workMetrics.cleanupEnded,
    retried: (reason) => workMetrics.retried('cleanup', reason),
  });
  const removing = { store: cleanupStore, ownership, removeRuns, logger, now, retryDelayMs };
  const cleanUpBranch = createCleanUpBranch({
    ...removing,
    redis,
    waiting,
    hooksOf: tasks.hooksOf,
    delayMs,
    ended: workMetrics.cleanupEnded,
  });
  const sweep = createSweep({
    redis,
    drainQueue,
    cleanups: createRequeueCleanups({ store: cleanupStore, queue: cleanupQueue }),
    waitingHeads,
    logger,
    retryDelayMs,
    everyMs: timing.sweepMs,
  });
  const { keyPrefix } = connection.redis;
  const { lockMs } = timing;
  const worker = { connection: workers.connection, keyPrefix, waiters, logger, lockMs };
  const drainWorker = createDrainWorker({ ...worker, redis, queue: drainQueue, workOffHook });
  const cleanupWorker = createCleanupWorker({
    ...worker,
    ...{ queue: cleanupQueue, cleanUpBranch },
    cleanUpTogether: createCleanUpTogether(removing),
  });
  void ownership.start();
  sweep.start();
  const ringer = createRinger({
    store: schedules,
    drainQueue,
    logger,
    rang: workMetrics.schedulerRang,
  });
  ringer.start();
  const poller = createPoller({
    store: deps.polls,
    pollHook: createPollHook({
      ...{ api, callApi, store: deliveries, logger, now },
      workArrived: drainQueue.ensureSoon,
      reconcileSeconds: config.reconcile.intervalSeconds,
      shortestDelayMs: timing.pollMs,
    }),
    logger,
    polled: workMetrics.polled,
  });
  poller.start();
  return {
    async stop(deadlineMs: number) {
      sweep.stop();
      await Promise.all([
        ringer.stop(),
        poller.stop(),
        drainWorker.close(deadlineMs),
        cleanupWorker.close(deadlineMs),
      ]);
      ownership.stop();
      killed.abort();
      offThread.stop();
      workers.disconnect();
    },
  };
}
