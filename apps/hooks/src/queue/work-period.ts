import type { HookLock } from '@cds/hooks-store';
import type { Redis } from 'ioredis';

/** A time during which this process works on the state in Redis. */
export interface WorkPeriod {
  hookLock: HookLock;
  /** For BullMQ workers. */
  workerConnection: Redis;
  /** Aborted when no new work is to begin. */
  ending: AbortSignal;
  /** Aborted when there is no time left to wait for anything. */
  killed: AbortSignal;
}
