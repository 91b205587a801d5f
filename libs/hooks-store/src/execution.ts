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

/** A change that a look at a repository found. */
export interface PolledChange extends PollExecution {
  /** The push as the API told of it (JSON); empty for a deletion. */
  event: string;
  /**
   * Id of the newest execution of the hook when the look began: what has a greater one may be newer
   * than what was seen.
   */
  seen_after: number;
}

/** What was received, written once when it is accepted. */
export interface StoredExecution {
  /** Nanoseconds: the id × 1000. */
  timestamp: number;
  type: TaskType;
  /** The hook's configuration at the time. */
  config: HookConfig | null;
  /** The request that it brought. */
  webhook?: WebHookExecution;
  /** The message that it brought. */
  rabbitmq?: RabbitmqExecution;
  /** The time that a schedule named. */
  scheduled_task?: ScheduledTask;
  /** The change that polling found. */
  poll?: PolledChange;
  /**
   * Of the changes of a push those that another delivery told of before: there is nothing to do for
   * them.
   */
  double_changes?: readonly number[];
  /** Those that took place before one that was accepted earlier. */
  late_changes?: readonly number[];
  /**
   * When it was accepted (ms). The id may be later where two arrive at once or a clock was put
   * back.
   */
  accepted_at: number;
  /** Timestamp of the execution of which this one is a replay. */
  replay_of?: number;
  /**
   * The id of the request that brought it, as it stands in the log; none before there were such
   * ids.
   */
  request_id?: string;
}

/** What became of an execution, rewritten with every try. */
export interface ExecutionState {
  status: TaskExecution['status'];
  nb_errors: number;
  last_error: string;
  /** 0 while there is still something to do. */
  processing_timestamp: number;
  workflow_run: number;
  /** Steps of the plan that need not be done again. */
  steps_done: number;
  /** Refusals of the step under way. */
  refusals: number;
  /** Tries in a row that the API did not answer. */
  outages: number;
  /** After a refusal: not to be tried again before (ms). */
  retry_at: number;
  /** Whether a step was given up. */
  failed: boolean;
  /**
   * The steps that were given up; none where the delivery could not even be read, or an older
   * version gave up.
   */
  failed_steps: readonly number[];
  /** A dead letter that was sent again: the steps to do; none stands for every run. */
  retry_steps?: readonly number[];
  /** How often it was sent again. */
  retries: number;
  /** When it was sent again (ms): it waits since then. */
  queued_at?: number;
  /** Of an outgoing hook: how often the API did not show yet what it had posted. */
  not_yet?: number;
  /** Of an outgoing hook whose call is over: what the API is to be told. */
  callback?: OutgoingCallback | undefined;
}

/** The state of an execution that was never tried. */
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

/**
 * The state of a dead letter that is sent again: all its tries again, for what failed alone. The
 * number of its last run stays.
 */
export function stateOfRetry(state: ExecutionState, now: number): ExecutionState {
  return {
    ...NEW_STATE,
    queued_at: now,
    workflow_run: state.workflow_run,
    retry_steps: state.failed_steps.length > 0 ? state.failed_steps : (state.retry_steps ?? []),
    retries: state.retries + 1,
    // What was called is not called again: what is missing is that the API hears of it.
    ...(state.callback ? { callback: state.callback, steps_done: state.steps_done } : {}),
  };
}

/**
 * The state as it stands in Redis. What cannot be read counts as never written: rather is a step
 * done again than left out.
 */
export function parseState(json: string | null | undefined): ExecutionState {
  const state: ExecutionState = { ...NEW_STATE };
  const { retry_steps, queued_at, not_yet, callback, ...read } = json ? parseObject(json) : {};
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
  if (typeof value !== 'object' || value === null) return false;
  const { start, done, status, log, ...numbers } = value as Partial<Record<string, unknown>>;
  return (
    [start, done, status, log].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(numbers.workflow_node_outgoing_hook_id)
  );
}

function parseObject(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/**
 * Whether a value can stand where this default stands: all numbers of a state are whole, from 0 on.
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

/** The execution as CDS's routes answer it. */
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
    // The run of a workflow is asked for without a request of its own.
    ...(stored.webhook && stored.type !== 'OutgoingWorkflow' ? { webhook: stored.webhook } : {}),
    ...(stored.rabbitmq ? { rabbitmq: stored.rabbitmq } : {}),
    ...(stored.scheduled_task ? { scheduled_task: stored.scheduled_task } : {}),
    ...(stored.poll ? { poll: shownChange(stored.poll) } : {}),
    status: state.status,
  };
}

function shownChange({ kind, ref, hash }: PolledChange): PollExecution {
  return { kind, ref, hash };
}
