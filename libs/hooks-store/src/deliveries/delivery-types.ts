import type { ExecutionState, StoredExecution } from '../execution';
import type { KeptBody } from '../stored-execution-text';
import type { HookConfig, TaskType } from '@cds/wire';
import type { DeliveryPlan, RefChange } from './delivery-plan';

/** The received part of an execution. */
export type Received = Pick<StoredExecution, 'webhook' | 'rabbitmq' | 'poll'>;

/** A known hook, as far as it decides whether a delivery is read at all. */
export interface HookOnFile {
  kind: 'known';
  type: TaskType;
  /** The method of its requests. */
  method: string;
  /** Whether a delivery of it had a right signature before. */
  signed: boolean;
}

export interface DeliveryToAccept {
  uuid: string;
  method: string;
  /** The hook type that it was validated for. */
  validatedFor: TaskType;
  /** `ignore` stores it as done, `refuse` stores nothing. */
  validation: 'accept' | 'ignore' | 'refuse';
  /** Whether it was signed; a wrong signature is refused earlier. */
  signature: 'right' | 'none' | 'not-needed';
  /** X-Request-UUID, or another unique name; "" makes it no duplicate by its name. */
  requestUuid: string;
  /** The change that a poll found: a known one is a duplicate that is not stored. */
  change?: string;
  refChanges?: readonly RefChange[];
  /** For a poll: id of the newest execution of the hook when the poll began. */
  seenAfter?: number;
  acceptedAt: number;
  requestId: string;
  /** W3C trace context, where traces are on. */
  traceparent?: string | undefined;
  received: Received;
  /** The body of the request, where `received` does not hold it. */
  body?: Buffer;
  /** The state of an ignored one. */
  ignored: ExecutionState;
  /**
   * The state of a duplicate; `{first}` stands for the timestamp of the first delivery, `{same}`
   * for what both have in common.
   */
  duplicate: ExecutionState;
}

/** An unknown hook. It says little where the hooks of the API were not read yet. */
export interface AbsentHook {
  kind: 'unknown';
  /** When the last complete reading of them began (ms); undefined before the first. */
  synchronizedAt: number | undefined;
  /** The set of tasks has it, but its hash is gone. */
  vanished: boolean;
}

export type Acceptance =
  | AbsentHook
  | { kind: 'wrong-method' | 'unsigned' | 'refused' }
  /** The hook has this type now: validate for it, and store again. */
  | { kind: 'other-type'; type: TaskType }
  /**
   * `firstId`: the execution of the first delivery. `isDouble`: another delivery had all its
   * changes.
   */
  | {
      kind: 'duplicate';
      type: TaskType;
      firstId: string;
      anotherBody: boolean;
      isDouble: boolean;
    }
  /**
   * `waiting`: pending executions of the hook, this one included. `isPaused`: it is the only one, and
   * nothing is processed during a maintenance of CDS.
   */
  | { kind: 'accepted'; type: TaskType; id: string; waiting: number; isPaused: boolean };

/** The oldest pending execution of a hook. */
export interface PendingExecution {
  type: TaskType;
  /** The hook's configuration now. */
  config: HookConfig | null;
  id: string;
  execution: StoredExecution;
  /** Why the execution cannot be read as it is in Redis. */
  unreadable?: string;
  /** The body of its request, as it came; "" without one. */
  body: KeptBody;
  state: ExecutionState;
  /** The state as Redis has it; "" before the first try. */
  stateJson: string;
  /** Whether there is any cleanup, stopped and failed ones included. */
  anyCleanups: boolean;
  /** How often other processes began it and did not end it; see {@link SavedProgress.byItself}. */
  begun: number;
}

export type TakenExecution =
  { kind: 'lost' | 'gone' | 'stopped' | 'empty' } | { kind: 'work'; pending: PendingExecution };
export type Saved = 'ok' | 'lost' | 'gone' | 'stopped';

/** The part of an execution that its plan depends on. */
export type DeliveryToPlan = Pick<
  PendingExecution,
  'type' | 'execution' | 'body' | 'unreadable'
> & {
  /** Whether a run gets the whole event and its name, as from CDS 0.42 on. */
  namesEvents?: boolean;
};

/**
 * Plans an execution; pure.
 * @throws MalformedExecutionError where the execution cannot be read
 */
export type PlanDelivery = (delivery: DeliveryToPlan) => DeliveryPlan;
