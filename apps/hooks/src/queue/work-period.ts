import type { HookLock } from '@cds/hooks-store';
import type { Redis } from 'ioredis';

/** For a time in which this process works on the state in Redis. */
export interface WorkPeriod {
  hookLock: HookLock;
  workerConnection: Redis;
  /** Aborted when no new work is to begin. */
  ending: AbortSignal;
  /** Aborted when no time is left to wait for anything. */
  killed: AbortSignal;
}
