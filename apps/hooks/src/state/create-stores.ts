import { planDelivery } from '../plan-delivery';
import type { HooksConfig } from '@cds/config';
import {
  createTaskStore,
  type Mend,
  createCleanupStore,
  createDeliveryStore,
  createWaitingHeads,
  createPollStore,
  createScheduleStore,
} from '@cds/hooks-store';
import type { Redis } from 'ioredis';
import { createWaitingDeliveries } from '../modules/branch-cleanup/waiting-branch-changes';
import type { createUnreadableReports } from '../monitoring/report-unreadable';

/** Everything that `hooks` keeps in Redis, by what it is. */
export function createStores(deps: {
  redis: Redis;
  config: HooksConfig;
  mend: Mend;
  unreadable: Pick<ReturnType<typeof createUnreadableReports>, 'task'>;
  /** How long a poll may take before another replica makes it. */
  leaseMs: number | undefined;
}) {
  const { redis, config, mend, unreadable, leaseMs } = deps;
  const { executionHistory, deadLetters, signature } = config;
  const reconcileSeconds = config.reconcile.intervalSeconds;
  return {
    deliveries: createDeliveryStore({ redis, executionHistory, deadLetters, signature, mend }),
    cleanupStore: createCleanupStore({ redis, deadLetters, mend }),
    waiting: createWaitingDeliveries({ redis, plan: planDelivery, mend }),
    waitingHeads: createWaitingHeads({ redis, mend }),
    tasks: createTaskStore({ redis, mend, unreadable: unreadable.task }),
    schedules: createScheduleStore({ redis, executionHistory, mend }),
    polls: createPollStore({ redis, reconcileSeconds, leaseMs, mend }),
  };
}
