import type { DeliveryPlan, DeliveryToPlan } from '@cds/hooks-store';
import type { HookConfig, MonitoringLine, TaskType } from '@cds/wire';
import type { BranchCleanups } from '../queue/process-delivery';
import type { Processor } from '../queue/processor';
import type { LostJobs } from '../queue/requeue-lost-jobs';
import type { WorkPeriod } from '../queue/work-period';
import type { Resources } from '../resources';
import type { DeliveryValidator } from './incoming-delivery';
import type { TaskHandlers } from './task-handler';

/** A hook as the API sent it. */
export interface HookToStore {
  uuid: string;
  config: HookConfig;
}

/** What is stored of a hook beside its uuid and type. */
export interface StoredHook {
  /** Of the requests that its webhook takes; empty for hooks that take none. */
  method: string;
  config: HookConfig | null;
}

/**
 * A kind of hook: a folder of its own beside this file, and a line in `hook-modules.ts`. What
 * stands here needs neither Redis nor the API.
 */
export interface HookModule {
  types: readonly TaskType[];
  /** The API never lists its tasks among its hooks, so none is missing there. */
  unlisted?: boolean;
  /** `any`: executions may overtake each other. In the order of acceptance when not given. */
  ordering?: 'any';
  /**
   * Checks a hook and says what is stored of it.
   *
   * @param urlPublic how others reach this service
   * @throws CdsError 400 when it cannot work whatever happens
   */
  normalize(hook: HookToStore, urlPublic: string): StoredHook;
  /** Why a hook cannot run, in words for its user; undefined when it can. */
  unsupported?(hook: { type: TaskType; config: HookConfig | null }): string | undefined;
  /** Set where its hooks take deliveries at `/webhook/{uuid}`. */
  deliveries?: DeliveryValidator;
  /**
   * What an execution calls for; pure.
   * @throws MalformedPushError and its like where it cannot be read
   */
  plan?(delivery: DeliveryToPlan): DeliveryPlan;
  /** Makes what needs Redis or the API. */
  create?(resources: Resources): RunningModule;
}

/** A hook module in a service that runs. */
export interface RunningModule {
  tasks?: TaskHandlers;
  /** Begins to receive. Called when the state is ours and the API knows this service. */
  start?(): void;
  /** Ends that; `start` may be called again. */
  stop?(): Promise<void>;
  /** Begins to work on what waits in Redis, until it is stopped; may be called again then. */
  work?(period: WorkPeriod): ModuleWork;
  /** Lines of `/mon/status`, known without Redis. */
  statusLines?(): MonitoringLine[];
}

/** The work of a module while the state is ours. */
export interface ModuleWork {
  /** Where planning an execution and asking for its runs is not all. */
  processors?: Partial<Record<TaskType, Processor>>;
  cleanups?: BranchCleanups;
  /** Its jobs beside those of hooks. */
  lostJobs?: LostJobs;
  /** Begins nothing new; resolves when nothing is under way, or after `deadlineMs`. */
  stop?(deadlineMs: number): Promise<unknown>;
}
