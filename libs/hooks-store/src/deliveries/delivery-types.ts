import type { ReplyOf } from '@cds/redis';
import type { ExecutionState, StoredExecution } from '../execution';
import type { KeptBody } from '../stored-execution-text';
import type { HookConfig, TaskType } from '@cds/wire';
import type { ACCEPT_DELIVERY } from './accept-delivery.lua';
import type { LOOK_UP_HOOK } from './look-up-hook.lua';

/**
 * A change of a branch or tag from one commit to another. Hashes have only the compared digits; ""
 * where the ref did not exist, `?` where the commit is unknown.
 */
export interface RefChange {
  /** Position in the push. */
  index: number;
  /** `refs/heads/…` or `refs/tags/…` */
  ref: string;
  before: string;
  after: string;
}

/** What is known of the changes of a push since it was accepted, by their index. */
export interface JudgedChanges {
  /** Another delivery had them before. */
  double_changes?: readonly number[] | undefined;
  /** They took place before an earlier accepted change. */
  late_changes?: readonly number[] | undefined;
}

/** One step of a delivery plan. */
export type DeliveryStep =
  | {
      type: 'run';
      payload: Record<string, string>;
      /** The pushed branch, whose cleanup is cancelled; absent for tags and plain webhooks. */
      branch?: string;
      /**
       * Pushed before an earlier accepted change: it does not show whether the branch exists now.
       */
      isLate?: true;
    }
  | { type: 'delete-branch'; branch: string };

/** The runs and cleanups of an execution, in order. */
export interface DeliveryPlan {
  /** `workspace/slug` as the delivery names it; empty for a plain webhook. */
  repository: string;
  steps: DeliveryStep[];
  /** Changes without a step, and why. */
  leftOut?: { name: string; reason: string }[];
}

/** A known hook, as far as it decides whether a delivery is read at all. */
export type HookOnFile = Extract<ReplyOf<typeof LOOK_UP_HOOK>, { kind: 'known' }>;

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
  received: Pick<StoredExecution, 'webhook' | 'rabbitmq' | 'poll'>;
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

export type Acceptance = ReplyOf<typeof ACCEPT_DELIVERY>;

/** An unknown hook. It says little where the hooks of the API were not read yet. */
export type AbsentHook = Extract<Acceptance, { kind: 'unknown' }>;

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
  | { kind: 'lost' | 'gone' | 'stopped' | 'empty' }
  | { kind: 'work'; pending: PendingExecution };
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
