import type { DeliveryPlan, DeliveryToPlan, HookLock } from '@cds/hooks-store';
import type { HookConfig, MonitoringLine, TaskType } from '@cds/wire';
import type { Redis } from 'ioredis';
import type { BranchCleanups } from '../queue/process-step';
import type { Processor } from '../queue/processor';
import type { LostJobs } from '../queue/requeue-lost-jobs';
import type { Resources } from '../resources';
import type { DeliveryValidator } from './incoming-delivery';
import type { TaskHandlers } from './task-handler';

/** A hook as the API sent it. */
export interface HookToStore {
  uuid: string;
  config: HookConfig;
}

/** What is stored of a hook besides its uuid and type. */
export interface StoredHook {
  /** The HTTP method of its deliveries; empty for hooks that take none. */
  method: string;
  config: HookConfig | null;
}

/**
 * A hook type: a folder beside this file, and a line in `hook-modules.ts`. All but `create` works
 * without Redis and the API.
 */
export interface HookModule {
  types: readonly TaskType[];
  /** The API never lists its tasks, so the synchronization misses none. */
  unlisted?: boolean;
  /** `any`: executions may overtake each other. The default is the order of acceptance. */
  ordering?: 'any';
  /**
   * Checks a hook and says what is stored of it.
   *
   * @param urlPublic how others reach this service
   * @throws CdsError 400 when the hook can never work
   */
  normalize(hook: HookToStore, urlPublic: string): StoredHook;
  /** Why a hook cannot run, in a sentence for its user; undefined when it can. */
  unsupported?(hook: { type: TaskType; config: HookConfig | null }): string | undefined;
  /** Set where its hooks take deliveries at `/webhook/{uuid}`. */
  deliveries?: DeliveryValidator;
  /**
   * Plans an execution. Pure.
   * @throws MalformedExecutionError where it cannot be read
   */
  plan?(delivery: DeliveryToPlan): DeliveryPlan;
  create?(resources: Resources): RunningModule;
}

/** A hook module in a service that runs. */
export interface RunningModule {
  tasks?: TaskHandlers;
  /** Begins to receive. Called when this CDS owns the state and the service is registered. */
  start?(): void;
  /** Ends that; `start` may be called again. */
  stop?(): Promise<void>;
  /** Begins to process what waits in Redis, until it is stopped; may be called again then. */
  work?(period: WorkPeriod): ModuleWork;
  /** Lines of `/mon/status`, known without Redis. */
  statusLines?(): MonitoringLine[];
}

/** For a time in which this process works on the state in Redis. */
export interface WorkPeriod {
  hookLock: HookLock;
  workerConnection: Redis;
  /** Aborted when no new work is to begin. */
  ending: AbortSignal;
  /** Aborted when no time is left to wait for anything. */
  killed: AbortSignal;
}

/** The work of a module while this CDS owns the state. */
export interface ModuleWork {
  /** For types whose executions need more than a plan and its runs. */
  processors?: Partial<Record<TaskType, Processor>>;
  cleanups?: BranchCleanups;
  /** Its jobs besides those of hooks. */
  lostJobs?: LostJobs;
  /** Begins nothing new. Resolves when nothing is under way, or after `deadlineMs`. */
  stop?(deadlineMs: number): Promise<unknown>;
}
