import { createHash } from 'node:crypto';
import { keyArgument } from '@cds/redis';

const PREFIX = 'cdsbb:hooks:';

/** Where BullMQ keeps its jobs. */
export const BULL_PREFIX = `${PREFIX}bull`;

/** What BullMQ puts before its keys, since it refuses a connection with a key prefix. */
export function jobPrefix(keyPrefix = ''): string {
  return keyPrefix + BULL_PREFIX;
}

/**
 * How everything here is kept. A version that keeps it in another way has another, and none touches
 * what it cannot read.
 */
export const STATE_FORMAT = '1';

/** The keys of Redis that belong to no single hook or cleanup. */
export const KEYS = {
  /**
   * Hash, which says whose the state is: `format`, {@link MADE_FIELD}, `owner:` and a name of the
   * CDS → when a replica of it was seen last (ms), {@link SYNCHRONIZED_FIELD}.
   */
  mark: `${PREFIX}state`,
  /**
   * Sorted set: uuids of tasks that the API did not list when it listed less than half → since when
   * (ms).
   */
  unlisted: `${PREFIX}unlisted`,
  /** Counter: accepted deliveries that vanished from Redis before they were worked off. */
  lostTotal: `${PREFIX}lost-total`,
  /**
   * When the first of those was noticed (µs, by the clock of Redis); none where none is counted, or
   * nobody has looked yet.
   */
  lostSince: `${PREFIX}lost-since`,
  /** Expires: the hooks of the API were asked for because of a delivery. */
  synchronizeAsked: `${PREFIX}synchronize-asked`,
  /** Set: uuids of all tasks. */
  tasks: `${PREFIX}tasks`,
  /** Set: uuids of the tasks that were stopped. */
  stopped: `${PREFIX}stopped`,
  /** Sorted set: uuids of the tasks of outgoing hooks → when one was executed last (ms). */
  outgoing: `${PREFIX}outgoing`,
  /** Hash: task type → number of tasks. */
  kinds: `${PREFIX}kinds`,
  /** Set: uuids of hooks that have deliveries to work off and are not stopped. */
  pending: `${PREFIX}pending`,
  /**
   * Sorted set: uuids of hooks that have deliveries to work off and are not stopped → since when
   * the one at the head has waited (ms).
   */
  waitingSince: `${PREFIX}heads`,
  /** The same for hooks whose task was stopped. */
  stoppedWaitingSince: `${PREFIX}heads-stopped`,
  /** Counter: deliveries that wait, over all hooks. */
  waitingTotal: `${PREFIX}waiting-total`,
  /**
   * Sorted set: `uuid/id` of the executions that failed for good, the dead letters → id. Those that
   * a version without dead letters left are in their hook's `done` until they are adopted.
   */
  failed: `${PREFIX}failed`,
  /** Hash: worker → number of beats, by which replicas see that each other lives. */
  beats: `${PREFIX}beats`,
  /** Sorted set: ids of the jobs that wait for the API → when one may be woken (ms). */
  apiWaiters: `${PREFIX}waiting-for-api`,
  /** Sorted set: uuids of the schedulers that run → when they are due next (ms). */
  due: `${PREFIX}due`,
  /**
   * Sorted set: uuids of the hooks whose repository is polled → when next, by the clock of Redis
   * (ms).
   */
  polls: `${PREFIX}polls`,
  /** Sorted set: those of them whose last poll brought nothing → since when (ms). */
  pollsFailing: `${PREFIX}polls-failing`,
  /** Hash: uuids of the RabbitMQ hooks that consume → the settings of their queue (JSON). */
  queues: `${PREFIX}queues`,
  /** The replica that sweeps holds it. */
  sweepLock: `${PREFIX}sweep-lock`,
  /**
   * The replica that synchronizes for all holds it; `…:done`: when it was begun last (µs), and what
   * came of it.
   */
  synchronizing: `${PREFIX}synchronizing`,
  /** Sorted set: cleanup ids → when to act next (ms). */
  cleanups: `${PREFIX}cleanups`,
  /** Sorted set: ids of the cleanups that an operator stopped → when (ms). */
  stoppedCleanups: `${PREFIX}cleanups-stopped`,
  /**
   * Sorted set: ids of the cleanups that failed for good → when (ms); of those that an operator
   * ended, less than 0.
   */
  failedCleanups: `${PREFIX}cleanups-failed`,
  /**
   * Sorted set: ids of cleanups whose branch a push brought back that was removed before its turn →
   * id of the push; the newest ten thousand. A deletion from before it schedules nothing.
   */
  broughtBack: `${PREFIX}brought-back`,
  /**
   * Hash: what was taken over from CDS's own hooks (`task/uuid`, `delivery/uuid/timestamp`,
   * `cleanup/uuid/timestamp`) → what became of it. It keeps a second import from bringing back what
   * has ended since.
   */
  imported: `${PREFIX}imported`,
} as const;

/**
 * Sorted set: fingerprints of the hashes that the API gave to a service of this name → when it did
 * last (ms).
 */
export function hashesKey(name: string): string {
  return `${PREFIX}hashes:${name}`;
}

/** Field of the mark: names it, so that one that was made anew, after a FLUSHALL, is another. */
export const MADE_FIELD = 'made';

/**
 * Field of the mark: when a reading of the API's hooks began last that was whole (ms); none before
 * the first.
 */
export const SYNCHRONIZED_FIELD = 'synchronized';

/**
 * Field of a task's hash: `1` once a delivery of it had a right signature, so that unsigned ones
 * are refused.
 */
export const SIGNED_FIELD = 'signed';

/**
 * Field of a task's hash: the {@link workflowHooksKey} under which the task is listed; empty when
 * under none.
 */
export const WORKFLOW_INDEX_FIELD = 'workflow_index';

/** Field of the hash of a scheduler: the cron expression and the time zone that it is due by. */
export const SCHEDULE_FIELD = 'schedule';

/** Field of the hash of a hook that is polled: when the last poll began that was answered (ms). */
export const POLLED_FIELD = 'polled_at';
/**
 * Field of the hash of a hook that is polled: why its last poll brought nothing; empty when it did.
 */
export const POLL_ERROR_FIELD = 'poll_error';

/**
 * Field of a task's hash: `id holder times`, the execution that was begun, by whom, and how often
 * it was begun and did not end. None when what was begun last got further, or was given back.
 * Written by `begun.lua.ts`.
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
    /**
     * Hash: execution id → what was received (JSON), and id + `:body` → the body of the request,
     * where there is one.
     */
    executions: `${PREFIX}exec:${uuid}`,
    /** Hash: execution id → what became of it (JSON); none before the first try. */
    states: `${PREFIX}state:${uuid}`,
    /**
     * List: ids of the executions to work off, the oldest first; the head stays until it is done.
     */
    waiting: `${PREFIX}waiting:${uuid}`,
    /** Sorted set: ids of the finished executions, the history. */
    done: `${PREFIX}done:${uuid}`,
    /**
     * Sorted set: ids of the executions that failed for good; they are neither in `waiting` nor in
     * `done`.
     */
    dead: `${PREFIX}dead:${uuid}`,
    /**
     * Sorted set: X-Request-UUID of a delivery → id of the execution that it led to; about 48 hours
     * of them.
     */
    seen: `${PREFIX}seen:${uuid}`,
    /**
     * Hash: change (`REF@HASH` or `REF@deleted`) → what became of it and the id of the execution:
     * `found:`, `polled:`, `late:`, `delivered:`; about the newest thousand, and those of the last
     * hour. Of hooks that are polled.
     */
    changes: `${PREFIX}changes:${uuid}`,
    /**
     * Hash: branch or tag (`refs/heads/…`) → its last change that was accepted, `OLD>NEW:id`: the
     * first digits of both hashes, nothing where it did not exist, `?` where that is not known, and
     * the id of the execution. About the newest thousand, and those of the last hour. Of repository
     * webhooks.
     */
    refs: `${PREFIX}refs:${uuid}`,
    /** Who works the hook off at the moment. */
    owner: `${PREFIX}owner:${uuid}`,
    /** Hash: branch → id of the cleanup that this hook scheduled for it. */
    hookCleanups: `${PREFIX}hook-cleanups:${uuid}`,
  };
}

export type HookKey = keyof ReturnType<typeof hookKeys>;

/**
 * These keys, and those that belong to no hook or cleanup: all that a script may name. The latter
 * are inherited, since copying them costs a call 20 µs or more.
 */
export function withCommonKeys<K extends object>(keys: K): K & typeof KEYS {
  return Object.assign(Object.create(KEYS) as typeof KEYS, keys);
}

/** All keys that the scripts of one hook may name. */
export function keysOf(uuid: string) {
  return withCommonKeys(hookKeys(uuid));
}

/** All keys that the scripts of one cleanup may name. */
export function recordKeys(id: string) {
  return withCommonKeys({ record: cleanupKey(id) });
}

/** Where a key is moved that holds another type of value than it should. */
export function unreadableKey(key: string, now: number): string {
  return `${PREFIX}unreadable:${now}:${key.slice(PREFIX.length)}`;
}

/** Hash: the record of a cleanup. */
export function cleanupKey(id: string): string {
  return `${PREFIX}cleanup:${id}`;
}

const ofNoHook = hookKeys('');

/**
 * What the keys of hooks and cleanups begin with, for scripts that make them of a uuid or id.
 * Spread last: an object that gets more after a spread is thirty times slower.
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
