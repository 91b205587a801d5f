import type {
  HookConfig,
  OutgoingCallback,
  PollExecution,
  RabbitmqExecution,
  ScheduledTask,
  TaskExecution,
  TaskType,
  WebHookExecution,
} from '@cds/wire';
import { traitsOf } from './task-type-traits';
import { isObject, parseJson } from './unreadable/read-config';

/** A change that a poll found. */
export interface PolledChange extends PollExecution {
  /** The push as the API returned it (JSON); "" for a deletion. */
  event: string;
  /** Id of the newest execution when the poll began: later ones may be newer than the poll. */
  seen_after: number;
}

/** The received part of an execution, written once. */
export interface StoredExecution {
  /** Nanoseconds: the id × 1000. */
  timestamp: number;
  type: TaskType;
  /** The hook's configuration at the time. */
  config: HookConfig | null;
  webhook?: WebHookExecution;
  rabbitmq?: RabbitmqExecution;
  scheduled_task?: ScheduledTask;
  poll?: PolledChange;
  /** Changes of a push that another delivery had before: nothing is done for them. */
  double_changes?: readonly number[];
  /** Changes that took place before an earlier accepted one. */
  late_changes?: readonly number[];
  /** When it was accepted (ms). The id may be later: two came at once, or a clock was put back. */
  accepted_at: number;
  /** Timestamp of the execution of which this one is a replay. */
  replay_of?: number;
  /** Request id in the log; older versions had none. */
  request_id?: string;
  /** W3C trace context of its delivery, where traces were on. */
  traceparent?: string | undefined;
}

/** Progress and result of an execution, rewritten with every try. */
export interface ExecutionState {
  status: TaskExecution['status'];
  nb_errors: number;
  last_error: string;
  /** 0 while there is something to do. */
  processing_timestamp: number;
  workflow_run: number;
  /** Steps of the plan that are not repeated. */
  steps_done: number;
  /** Refusals of the current step. */
  refusals: number;
  /** Tries in a row without an answer of the API. */
  outages: number;
  /** After a refusal, no try before (ms). */
  retry_at: number;
  /** Whether a step failed for good. */
  failed: boolean;
  /**
   * Steps that failed for good; none where the delivery is unreadable, or an older version gave up.
   */
  failed_steps: readonly number[];
  /** The steps of a retried dead letter; none stands for every run. */
  retry_steps?: readonly number[];
  retries: number;
  /** When it was retried (ms): it waits since then. */
  queued_at?: number;
  /** Outgoing hook: how often the API did not show yet what it had posted. */
  not_yet?: number;
  /** Outgoing hook: the callback after its call. */
  callback?: OutgoingCallback | undefined;
}

/** The state before the first try. */
export const NEW_STATE: Readonly<ExecutionState> = {
  status: '',
  nb_errors: 0,
  last_error: '',
  processing_timestamp: 0,
  workflow_run: 0,
  steps_done: 0,
  refusals: 0,
  outages: 0,
  retry_at: 0,
  failed: false,
  failed_steps: [],
  retries: 0,
};

/** The state of a retried dead letter: all tries for the failed steps; its last run stays. */
export function stateOfRetry(state: ExecutionState, now: number): ExecutionState {
  return {
    ...NEW_STATE,
    queued_at: now,
    workflow_run: state.workflow_run,
    retry_steps: state.failed_steps.length > 0 ? state.failed_steps : (state.retry_steps ?? []),
    retries: state.retries + 1,
    // A finished call is not repeated: only its callback is missing.
    ...(state.callback ? { callback: state.callback, steps_done: state.steps_done } : {}),
  };
}

/** Unreadable parts of a state count as missing: a step is rather repeated than left out. */
export function parseState(json: string | null | undefined): ExecutionState {
  const state: ExecutionState = { ...NEW_STATE };
  const stored = parseJson(json ?? '');
  const { retry_steps, queued_at, not_yet, callback, ...read } = isObject(stored) ? stored : {};
  for (const [name, before] of Object.entries(NEW_STATE)) {
    const value = read[name];
    if (isLike(before, value)) Object.assign(state, { [name]: value });
  }
  return {
    ...state,
    ...(isLike<readonly number[]>([], retry_steps) ? { retry_steps } : {}),
    ...(isStep(queued_at) ? { queued_at } : {}),
    ...(isStep(not_yet) ? { not_yet } : {}),
    ...(isCallback(callback) ? { callback } : {}),
  };
}

function isCallback(value: unknown): value is OutgoingCallback {
  if (!isObject(value)) return false;
  const { start, done, status, log, workflow_node_outgoing_hook_id: id } = value;
  const isText = [start, done, status, log].every((text) => typeof text === 'string');
  return isText && Number.isSafeInteger(id);
}

/**
 * Whether a value can replace this default: all numbers of a state are whole and not negative.
 * Timestamps are beyond the safe integers.
 */
function isLike<T>(example: T, value: unknown): value is T {
  if (Array.isArray(example)) return Array.isArray(value) && value.every(isStep);
  if (typeof example === 'number') return Number.isInteger(value) && Number(value) >= 0;
  return typeof value === typeof example;
}

function isStep(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** The execution as CDS's routes return it. */
export function toTaskExecution(
  uuid: string,
  stored: StoredExecution,
  state: ExecutionState,
): TaskExecution {
  return {
    uuid,
    type: stored.type,
    timestamp: stored.timestamp,
    nb_errors: state.nb_errors,
    ...(state.last_error ? { last_error: state.last_error } : {}),
    processing_timestamp: state.processing_timestamp,
    workflow_run: state.workflow_run,
    ...(stored.replay_of === undefined ? {} : { replay_of: stored.replay_of }),
    config: stored.config,
    ...(stored.webhook && !traitsOf(stored.type).showsNoRequest ? { webhook: stored.webhook } : {}),
    ...(stored.rabbitmq ? { rabbitmq: stored.rabbitmq } : {}),
    ...(stored.scheduled_task ? { scheduled_task: stored.scheduled_task } : {}),
    ...(stored.poll ? { poll: shownChange(stored.poll) } : {}),
    status: state.status,
  };
}

function shownChange({ kind, ref, hash }: PolledChange): PollExecution {
  return { kind, ref, hash };
}
