import type { ExecutionState, StoredExecution } from '../execution';
import type { KeptBody } from '../stored-execution-text';
import type { HookConfig, TaskType } from '@cds/wire';
import type { DeliveryPlan, RefChange } from './delivery-plan';

/** What an execution holds of what was received. */
export type Received = Pick<StoredExecution, 'webhook' | 'rabbitmq' | 'poll'>;

/** What decides, before anything of a delivery is read, whether its hook may take it. */
export interface HookOnFile {
  kind: 'known';
  type: TaskType;
  /** Of the requests that it takes. */
  method: string;
  /** Whether a delivery of it had a right signature before. */
  signed: boolean;
}

export interface DeliveryToAccept {
  uuid: string;
  /** Of the request. */
  method: string;
  /** The type of hook that it was validated for. */
  validatedFor: TaskType;
  /** `ignore` stores it as done, `refuse` stores nothing. */
  validation: 'accept' | 'ignore' | 'refuse';
  /** Whether it was signed; a wrong signature never comes as far as here. */
  signature: 'right' | 'none' | 'not-needed';
  /**
   * Its X-Request-UUID, or what else names it; empty when it has none and so can be nothing sent
   * again.
   */
  requestUuid: string;
  /**
   * What names the change that a poll found: one that is known already is a duplicate without a
   * trace.
   */
  change?: string;
  /** What a push, or a poll, tells of branches and tags. */
  refChanges?: readonly RefChange[];
  /** Of what a poll found: id of the newest execution of the hook when its look began. */
  seenAfter?: number;
  /** Milliseconds. */
  acceptedAt: number;
  /** Of the request, as it stands in the log. */
  requestId: string;
  received: Received;
  /** Of the request, where `received` does not hold it. */
  body?: Buffer;
  /** The state of an ignored one. */
  ignored: ExecutionState;
  /**
   * The state of one that came before; `{first}` stands for the timestamp of the first one,
   * `{same}` for what they have in common.
   */
  duplicate: ExecutionState;
}

/** There is no such hook here, which says little where the hooks of the API were not read yet. */
export interface AbsentHook {
  kind: 'unknown';
  /** When the last whole reading of them began (ms); undefined before the first. */
  synchronizedAt: number | undefined;
  /** It is among the tasks, and what is kept of it is gone. */
  vanished: boolean;
}

export type Acceptance =
  | AbsentHook
  | { kind: 'wrong-method' | 'unsigned' | 'refused' }
  /** The hook is of this type: to be validated for it, and stored again. */
  | { kind: 'other-type'; type: TaskType }
  /**
   * It came before; `firstId` is what it led to then. `isDouble`: another delivery told of all its
   * changes.
   */
  | {
      kind: 'duplicate';
      type: TaskType;
      firstId: string;
      anotherBody: boolean;
      isDouble: boolean;
    }
  | { kind: 'accepted'; type: TaskType; id: string; waiting: number };

/** The oldest delivery that waits at a hook. */
export interface PendingExecution {
  type: TaskType;
  /** The hook's configuration now. */
  config: HookConfig | null;
  id: string;
  execution: StoredExecution;
  /** Why the execution cannot be read as it stands in Redis, where that is so. */
  unreadable?: string;
  /** Of the request that it brought, as it came; not everything brings one. */
  body: KeptBody;
  state: ExecutionState;
  /** The same as it stands in Redis; empty before the first try. */
  stateJson: string;
  /** Whether there is any cleanup at all, stopped and failed ones included. */
  anyCleanups: boolean;
  /**
   * How often other processes began to work on it and did not come to an end; see {@link
   * SavedProgress.byItself}.
   */
  begun: number;
}

export type TakenExecution =
  { kind: 'lost' | 'gone' | 'stopped' | 'empty' } | { kind: 'work'; pending: PendingExecution };
export type Saved = 'ok' | 'lost' | 'gone' | 'stopped';

/** An execution as far as its plan is a matter of it. */
export type DeliveryToPlan = Pick<PendingExecution, 'type' | 'execution' | 'body' | 'unreadable'>;

/**
 * What an execution calls for; pure.
 * @throws MalformedPushError and its like where it cannot be read
 */
export type PlanDelivery = (delivery: DeliveryToPlan) => DeliveryPlan;
