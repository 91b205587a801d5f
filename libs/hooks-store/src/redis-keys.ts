import { createHash } from 'node:crypto';
import { HOOKS_STATE_KEY, keyArgument } from '@cds/redis';

const PREFIX = 'cdsbb:hooks:';

/** Prefix of the keys of BullMQ. */
export const BULL_PREFIX = `${PREFIX}bull`;

/** BullMQ's queue of hooks with pending executions. */
export const HOOK_QUEUE = 'hooks';

/** BullMQ's ids must hold no colon and must not be all digits. */
export function hookJobId(uuid: string): string {
  return `hook-${uuid}`;
}

/** The prefix that BullMQ puts before its keys, since it refuses a connection with a key prefix. */
export function jobPrefix(keyPrefix = ''): string {
  return keyPrefix + BULL_PREFIX;
}

/**
 * Format of the state. A version that stores it in another way has another format, and touches no
 * state of a format that it cannot read.
 */
export const STATE_FORMAT = '1';

/** The keys of Redis that belong to no single hook or cleanup. */
export const KEYS = {
  /**
   * Hash, the mark of the state: `format`, {@link MADE_FIELD}, {@link SYNCHRONIZED_FIELD}, `owner:`
   * and a name of the CDS → when a replica of it was seen last (ms).
   */
  mark: HOOKS_STATE_KEY,
  /** Never exists: `/mon/ready` tests writes with it. */
  ready: `${PREFIX}ready`,
  /** Sorted set: uuids of tasks that the API left out with most others → since when (ms). */
  unlisted: `${PREFIX}unlisted`,
  /** Counter: accepted deliveries that vanished from Redis before they were processed. */
  lostTotal: `${PREFIX}lost-total`,
  /** When the first lost delivery was noticed (µs, by the clock of Redis); absent without one. */
  lostSince: `${PREFIX}lost-since`,
  /** Expires: a delivery made the hooks of the API be read again. */
  synchronizeAsked: `${PREFIX}synchronize-asked`,
  tasks: `${PREFIX}tasks`,
  /** Set: uuids of the stopped tasks. */
  stopped: `${PREFIX}stopped`,
  /** Sorted set: uuids of the tasks of outgoing hooks → when one was executed last (ms). */
  outgoing: `${PREFIX}outgoing`,
  /** Hash: task type → number of tasks. */
  kinds: `${PREFIX}kinds`,
  /** Set: uuids of the hooks with pending executions whose task is not stopped. */
  pending: `${PREFIX}pending`,
  /** Sorted set: uuids of the hooks in `pending` → since when the oldest execution waits (ms). */
  waitingSince: `${PREFIX}heads`,
  /** The same for hooks whose task is stopped. */
  stoppedWaitingSince: `${PREFIX}heads-stopped`,
  /** Counter: pending executions of all hooks. */
  waitingTotal: `${PREFIX}waiting-total`,
  /** Sorted set: `uuid/id` of the dead letters among the executions → id. */
  failed: `${PREFIX}failed`,
  /** Hash: worker → number of heartbeats, by which replicas see that each other lives. */
  beats: `${PREFIX}beats`,
  /** Sorted set: ids of the jobs that pause for an API outage → when one may be resumed (ms). */
  apiWaiters: `${PREFIX}waiting-for-api`,
  /** Hash of BullMQ: `paused` while the processing is paused for a maintenance of CDS. */
  hookQueueMeta: `${BULL_PREFIX}:${HOOK_QUEUE}:meta`,
  /** Sorted set: uuids of the running schedulers → when they are due next (ms). */
  due: `${PREFIX}due`,
  /**
   * Sorted set: uuids of the polled hooks → when they are polled next (ms, by the clock of Redis).
   */
  polls: `${PREFIX}polls`,
  /** Sorted set: uuids of the polled hooks whose last poll failed → since when (ms). */
  pollsFailing: `${PREFIX}polls-failing`,
  /** Hash: uuids of the consuming RabbitMQ hooks → the settings of their queue (JSON). */
  queues: `${PREFIX}queues`,
  /** Held by the replica that requeues lost jobs. */
  sweepLock: `${PREFIX}sweep-lock`,
  /** Held by the replica that synchronizes for all; `…:done`: its last begin (µs) and result. */
  synchronizing: `${PREFIX}synchronizing`,
  /** Sorted set: cleanup ids → when to act next (ms). */
  cleanups: `${PREFIX}cleanups`,
  /** Sorted set: ids of the stopped cleanups → when they were stopped (ms). */
  stoppedCleanups: `${PREFIX}cleanups-stopped`,
  /** Sorted set: ids of the failed cleanups → when (ms); negative where an operator ended one. */
  failedCleanups: `${PREFIX}cleanups-failed`,
  /**
   * Sorted set: ids of cleanups whose branch was pushed again by a push that was removed
   * unprocessed → id of the push; the newest ten thousand. An earlier deletion schedules nothing.
   */
  broughtBack: `${PREFIX}brought-back`,
  /**
   * Hash: imports from CDS's own hooks (`task/uuid`, `delivery/uuid/timestamp`,
   * `cleanup/uuid/timestamp`) → their result. A second import does not bring back what ended.
   */
  imported: `${PREFIX}imported`,
} as const;

/**
 * Sorted set: fingerprints of the hashes that the API gave to a service of this name → when (ms).
 */
export function hashesKey(name: string): string {
  return `${PREFIX}hashes:${name}`;
}

/** Field of the mark: names it, so that a mark made after a FLUSHALL is another one. */
export const MADE_FIELD = 'made';

/** Field of the mark: when the last complete reading of the API's hooks began (ms). */
export const SYNCHRONIZED_FIELD = 'synchronized';

/** Field of a task: `1` after a delivery with a right signature; unsigned ones are refused then. */
export const SIGNED_FIELD = 'signed';

/** Field of a task: the {@link workflowHooksKey} that lists it, or "". */
export const WORKFLOW_INDEX_FIELD = 'workflow_index';

/** Field of a scheduler: the cron expression and the time zone by which it is due. */
export const SCHEDULE_FIELD = 'schedule';

/** Field of a polled hook: when the last answered poll began (ms). */
export const POLLED_FIELD = 'polled_at';
/** Field of a polled hook: why its last poll failed, or "". */
export const POLL_ERROR_FIELD = 'poll_error';

/**
 * Field of a task: `id holder times`: the begun execution, by whom and how often it was begun
 * without an end. Absent after progress or a release. Written by `begun.lua.ts`.
 */
export const BEGUN_FIELD = 'begun';

/** Set: uuids of the repository webhooks of a workflow. */
export function workflowHooksKey(project: string, workflow: string): string {
  const exact = JSON.stringify([project, workflow]);
  return `${PREFIX}workflow-hooks:${createHash('sha256').update(exact).digest('hex')}`;
}

/** The keys of one hook, by the uuid of its task. */
export function hookKeys(uuid: string) {
  return {
    /**
     * Hash: type, method, config (JSON), stopped, updated_at (ms), last_id, last_replay, {@link
     * SIGNED_FIELD}, {@link BEGUN_FIELD}, {@link WORKFLOW_INDEX_FIELD}, {@link SCHEDULE_FIELD},
     * {@link POLLED_FIELD}, {@link POLL_ERROR_FIELD}.
     */
    task: `${PREFIX}task:${uuid}`,
    /** Hash: execution id → what was received (JSON); id + `:body` → the request body, if any. */
    executions: `${PREFIX}exec:${uuid}`,
    /** Hash: execution id → its progress and result (JSON); absent before the first try. */
    states: `${PREFIX}state:${uuid}`,
    /** List: ids of the pending executions, the oldest first. */
    waiting: `${PREFIX}waiting:${uuid}`,
    /** Sorted set: ids of the ended executions, the history. */
    done: `${PREFIX}done:${uuid}`,
    /** Sorted set: ids of the dead letters; they are neither in `waiting` nor in `done`. */
    dead: `${PREFIX}dead:${uuid}`,
    /** Sorted set: X-Request-UUID of a delivery → id of its execution; about 48 hours of them. */
    seen: `${PREFIX}seen:${uuid}`,
    /**
     * Hash of a polled hook: change (`REF@HASH` or `REF@deleted`) → its result and the id of the
     * execution: `found:`, `polled:`, `late:`, `delivered:`; about the newest thousand, and those
     * of the last hour.
     */
    changes: `${PREFIX}changes:${uuid}`,
    /**
     * Hash of a repository webhook: branch or tag (`refs/heads/…`) → its last accepted change,
     * `OLD>NEW:id`: the first digits of both hashes ("" where the ref did not exist, `?` where
     * unknown) and the id of the execution. About the newest thousand, and those of the last hour.
     */
    refs: `${PREFIX}refs:${uuid}`,
    /** The lock token of the process that holds the hook. */
    owner: `${PREFIX}owner:${uuid}`,
    /** Hash: branch → id of the cleanup that this hook scheduled for it. */
    hookCleanups: `${PREFIX}hook-cleanups:${uuid}`,
  };
}

export type HookKey = keyof ReturnType<typeof hookKeys>;

/** These keys and {@link KEYS}, as the prototype: copying it would cost each call 20 µs. */
export function withCommonKeys<K extends object>(keys: K): K & typeof KEYS {
  return Object.assign(Object.create(KEYS) as typeof KEYS, keys);
}

/** All keys that a script for one hook may name. */
export function keysOf(uuid: string) {
  return withCommonKeys(hookKeys(uuid));
}

/** All keys that a script for one cleanup may name; `owner` is the lock of its hook. */
export function recordKeys(id: string, hook = '') {
  return withCommonKeys({ record: cleanupKey(id), owner: hookKeys(hook).owner });
}

/** The new name of a key that holds another type of value. */
export function unreadableKey(key: string, now: number): string {
  return `${PREFIX}unreadable:${now}:${key.slice(PREFIX.length)}`;
}

/** List: the newest refused deliveries of a hook (JSON), the newest first; seven days. */
export function refusalsKey(uuid: string): string {
  return `${PREFIX}refusals:${uuid}`;
}

/** Hash: the record of a cleanup. */
export function cleanupKey(id: string): string {
  return `${PREFIX}cleanup:${id}`;
}

const ofNoHook = hookKeys('');

/**
 * Prefixes of the keys of hooks and cleanups, for scripts that append a uuid or id. Spread last: an
 * object that gets more after a spread is thirty times slower.
 */
export const PREFIXES = {
  taskPrefix: keyArgument(ofNoHook.task),
  waitingPrefix: keyArgument(ofNoHook.waiting),
  statePrefix: keyArgument(ofNoHook.states),
  donePrefix: keyArgument(ofNoHook.done),
  deadPrefix: keyArgument(ofNoHook.dead),
  ownerPrefix: keyArgument(ofNoHook.owner),
  refsPrefix: keyArgument(ofNoHook.refs),
  hookCleanupsPrefix: keyArgument(ofNoHook.hookCleanups),
  recordPrefix: keyArgument(cleanupKey('')),
};
