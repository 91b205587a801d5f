import type { HooksConfig } from '@cds/config';
import { createTaskStore, type Mend } from '@cds/hooks-store';
import type { Redis } from 'ioredis';
import { createCleanupStore } from '../branch-deletions/cleanup-store';
import { createWaitingDeliveries } from '../branch-deletions/waiting-deliveries';
import { createDeliveryStore } from '../executions/delivery-store';
import { createWaitingHeads } from '../executions/waiting-heads';
import { createPollStore } from '../polling/poll-store';
import type { createUnreadableReports } from '../report-unreadable';
import { createScheduleStore } from '../scheduler/schedule-store';

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
    waiting: createWaitingDeliveries({ redis, mend }),
    waitingHeads: createWaitingHeads({ redis, mend }),
    tasks: createTaskStore({ redis, mend, unreadable: unreadable.task }),
    schedules: createScheduleStore({ redis, executionHistory, mend }),
    polls: createPollStore({ redis, reconcileSeconds, leaseMs, mend }),
  };
}
