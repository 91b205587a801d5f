import { setTimeout as sleep } from 'node:timers/promises';
import { isCdsError, type NodeHook, type Task } from '@cds/wire';
import { createOncePerCluster, type SynchronizedStore, type TaskToKeep } from '@cds/hooks-store';
import { moduleOf } from '../hook-modules';
import type { Resources } from '../resources';
import type { HandleTasks } from './task-handlers';
import { createLeftOutHooks } from './left-out-hooks';
import { nodeHookSchema, taskOfHook } from './node-hook';

interface SynchronizeTasksDeps extends Pick<
  Resources,
  'api' | 'config' | 'logger' | 'now' | 'redis' | 'stores' | 'timing'
> {
  handleTasks: HandleTasks;
  synchronized: SynchronizedStore;
}

/** The API posts a hook before it commits and lists it, at most two calls of 60 s before. */
const RECENT_MS = 2 * 60 * 1000;
const SECOND_LOOK_MS = 60_000;
const MAX_PAUSE_MS = 30_000;
/** Between two synchronizations of this process. */
const MIN_PAUSE_MS = 1_000;

function taskOf(hook: NodeHook, deps: SynchronizeTasksDeps): TaskToKeep | undefined {
  const parsed = nodeHookSchema.safeParse(hook);
  try {
    if (parsed.success) return taskOfHook(parsed.data, deps.config.urlPublic);
  } catch (error) {
    if (!isCdsError(error)) throw error;
  }
  deps.logger.warn(
    { hook: hook.uuid, model: hook.hook_model_name },
    'the API lists a hook of an unknown type or form: it is left out',
  );
  return undefined;
}

/**
 * Adds, changes and removes tasks to match the hooks that the API lists.
 *
 * Cleanups and outgoing hooks are never listed and stay. An unlisted task stays while it has
 * pending deliveries, or if it changed in the last two minutes: the API may not have committed it
 * yet. More than half of all tasks are removed only if a second list, a minute later, lacks the
 * same ones. A listed hook that is unreadable keeps its task.
 *
 * @returns how many unlisted tasks stayed
 */
async function synchronizeTasks(deps: SynchronizeTasksDeps, signal?: AbortSignal): Promise<number> {
  const { api, handleTasks, logger, now } = deps;
  const { tasks } = deps.stores;
  const { recentMs = RECENT_MS } = deps.timing;
  const began = now();
  const made = await deps.synchronized.begin();
  const before = await tasks.uuids();
  const uuids = new Set<string>();
  let stored = 0;
  // Hooks of a list that breaks off are stored; removals need the whole list.
  const leftOut = createLeftOutHooks(logger);
  for await (const hooks of api.workflowHooks(signal, leftOut.add)) {
    for (const { uuid } of hooks) uuids.add(uuid);
    const listed = hooks.flatMap((hook) => taskOf(hook, deps) ?? []);
    await Promise.all(
      listed.map(async (task) => {
        const isOurs = (await tasks.put(task, began, began)) === 'ok';
        // A process that stored a newer one may have crashed before `notify`; an import has none.
        const now = isOurs ? task : await tasks.read(task.uuid);
        if (now) await handleTasks.notify('stored', now);
      }),
    );
    stored += listed.length;
  }

  leftOut.end();

  const gone: Task[] = [];
  const isListed = (uuid: string) => leftOut.mayBeAny() || uuids.has(uuid) || leftOut.has(uuid);
  const unlisted = before.filter((uuid) => !isListed(uuid));
  for await (const some of tasks.readAll(unlisted))
    gone.push(...some.filter(({ type }) => moduleOf(type)?.unlisted !== true));
  const absent = await tasks.vanished(await deps.synchronized.listedIfThere(unlisted));
  const isSure = await sureToBeGone(
    deps,
    [...gone.map(({ uuid }) => uuid), ...absent],
    before.length - unlisted.length,
  );
  let removed = 0;
  async function remove(uuid: string): Promise<boolean> {
    if (!isSure(uuid) || (await tasks.remove(uuid, began - recentMs)) === 'kept') return false;
    removed++;
    return true;
  }
  for (const task of gone) if (await remove(task.uuid)) await handleTasks.notify('removed', task);
  // Nothing restores these, and their deliveries would be answered 503 for ever.
  for (const uuid of absent) await remove(uuid);
  const stayed = gone.length + absent.length - removed;
  await tasks.countKinds();
  await deps.synchronized.note(made, began);
  logger.info({ hooks: stored, removed, stayed }, 'tasks synchronized');
  return stayed;
}

/** Which unlisted tasks may be removed: all, or, of more than half, those unlisted long enough. */
async function sureToBeGone(
  { synchronized, logger, now, timing }: SynchronizeTasksDeps,
  gone: readonly string[],
  stillListed: number,
): Promise<(uuid: string) => boolean> {
  const { secondLookMs = SECOND_LOOK_MS } = timing;
  if (gone.length <= stillListed) {
    await synchronized.forgetUnlisted();
    return () => true;
  }
  const since = await synchronized.unlistedSince(gone, now());
  const isSure = (uuid: string) => now() - (since.get(uuid) ?? Infinity) >= secondLookMs;
  const waiting = gone.filter((uuid) => !isSure(uuid)).length;
  if (waiting > 0)
    logger.warn(
      { listed: stillListed, notListed: gone.length, waiting, secondLookMs },
      'the API lists less than half of the tasks: none is removed before a second list lacks ' +
        'the same ones',
    );
  return isSure;
}

/**
 * Repeats until no unlisted task stays; after an error with growing pauses of at most 30 s.
 *
 * @param signal ends it
 * @param requested ends a pause, and what would follow
 */
async function synchronizeUntilDone(
  deps: SynchronizeTasksDeps,
  signal: AbortSignal,
  requested: AbortSignal,
): Promise<void> {
  const either = AbortSignal.any([signal, requested]);
  const pause = (ms: number) => sleep(ms, undefined, { signal: either }).catch(() => undefined);
  const { recentMs = RECENT_MS, secondLookMs = SECOND_LOOK_MS } = deps.timing;
  // All replicas synchronize after a start, and when Redis comes back.
  const oncePerCluster = createOncePerCluster(deps);
  let failures = 0;
  while (!either.aborted) {
    let pauseMs = Math.min(MAX_PAUSE_MS, 1_000 * 2 ** Math.min(failures, 10));
    try {
      if ((await oncePerCluster(() => synchronizeTasks(deps, signal), signal)) === 0) return;
      failures = 0;
      pauseMs = Math.min(recentMs, secondLookMs);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      deps.logger.warn({ error }, 'failed to read the hooks of the API: trying again');
    }
    await pause(pauseMs);
  }
}

/**
 * Runs requested synchronizations one after the other.
 *
 * @param deps.may whether the state is that of this CDS, and the API knows this service
 */
export function createSynchronization(
  deps: SynchronizeTasksDeps & { may: () => boolean; ending: AbortSignal },
) {
  const { logger, ending } = deps;
  let isWanted = false;
  let isRunning = false;
  let pausing = new AbortController();

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    try {
      while (isWanted && deps.may() && !ending.aborted) {
        isWanted = false;
        pausing = new AbortController();
        await synchronizeUntilDone(deps, ending, pausing.signal).catch((error: unknown) =>
          logger.debug({ error }, 'synchronization failed'),
        );
        if (isWanted as boolean) await sleep(MIN_PAUSE_MS, undefined, { ref: false });
      }
    } finally {
      isRunning = false;
    }
  }

  return {
    /** Also during a synchronization: another one follows. */
    request(): void {
      isWanted = true;
      // Ends a pause, not a synchronization that reads the API's list.
      pausing.abort();
      void run();
    },
  };
}
