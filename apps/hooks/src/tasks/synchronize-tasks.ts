import { setTimeout as sleep } from 'node:timers/promises';
import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';
import { isCdsError, type NodeHook, type Task } from '@cds/wire';
import type {
  Clock,
  TaskStore,
  TaskToKeep,
  OncePerCluster,
  SynchronizedStore,
} from '@cds/hooks-store';
import { moduleOf } from '../hook-modules';
import type { HandleTasks } from './task-handlers';
import { warnUnsupported } from './warn-unsupported';
import { createLeftOutHooks } from './left-out-hooks';
import { nodeHookSchema, taskOfHook } from './node-hook';

export interface SynchronizeTasksDeps {
  api: Pick<CdsApiClient, 'workflowHooks'>;
  tasks: TaskStore;
  handleTasks: Pick<HandleTasks, 'notify'>;
  /** Several replicas need it at the same time: when they start, and when Redis comes back. */
  oncePerCluster: OncePerCluster;
  logger: Logger;
  now: Clock;
  urlPublic: string;
  /** What is kept of one synchronization for the next, and for whoever finds no task. */
  synchronized: SynchronizedStore;
  /** How long the API may take to list a hook that it posted (ms); also when to look again. Default two minutes. */
  recentMs?: number | undefined;
  /** After which a second look may remove more than half of the tasks (ms). Default a minute. */
  secondLookMs?: number | undefined;
}

/** The API lists what it has committed. A hook that it is about to commit was posted before, at most two calls of 60 s ago. */
const RECENT_MS = 2 * 60 * 1000;
const SECOND_LOOK_MS = 60_000;
const MAX_PAUSE_MS = 30_000;

function taskOf(hook: NodeHook, deps: SynchronizeTasksDeps): TaskToKeep | undefined {
  const parsed = nodeHookSchema.safeParse(hook);
  try {
    if (parsed.success) return taskOfHook(parsed.data, deps.urlPublic);
  } catch (error) {
    if (!isCdsError(error)) throw error;
  }
  deps.logger.warn(
    { hook: hook.uuid, model: hook.hook_model_name },
    'the API lists a hook that this service does not understand: it is left out',
  );
  return undefined;
}

/**
 * Brings the tasks in line with the hooks that the API lists: adds and changes, and removes those that are gone.
 *
 * Scheduled cleanups and outgoing hooks are never listed, and never touched. A task stays when deliveries wait for it, or when it was changed
 * in the two minutes before the call: the API may not have committed it yet. More than half of all
 * are removed only when a second look, a minute later, finds the same ones gone: a list may be
 * wrong once. A hook that the list has, and that cannot be read, keeps its task as it is.
 *
 * @returns how many tasks stayed for one of these reasons although the API does not list them
 */
async function synchronizeTasks(deps: SynchronizeTasksDeps, signal?: AbortSignal): Promise<number> {
  const { api, tasks, handleTasks, logger, now, recentMs = RECENT_MS } = deps;
  const began = now();
  const made = await deps.synchronized.begin();
  const before = await tasks.uuids();
  const uuids = new Set<string>();
  let kept = 0;
  // Those of a list that breaks off are listed all the same: only what is not in it waits until it is read whole.
  const leftOut = createLeftOutHooks(logger);
  for await (const hooks of api.workflowHooks(signal, leftOut.add)) {
    for (const { uuid } of hooks) uuids.add(uuid);
    const listed = hooks.flatMap((hook) => taskOf(hook, deps) ?? []);
    await Promise.all(
      listed.map(async (task) => {
        const isOurs = (await tasks.put(task, began, began)) === 'ok';
        // Whoever kept a newer one may have died before he said so; an import says nothing.
        const now = isOurs ? task : await tasks.read(task.uuid);
        if (now) await handleTasks.notify('stored', now);
        warnUnsupported(logger, task);
      }),
    );
    kept += listed.length;
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
  let stayed = 0;
  for (const task of gone) {
    if (!isSure(task.uuid) || (await tasks.remove(task.uuid, began - recentMs)) === 'kept') {
      stayed++;
      continue;
    }
    await handleTasks.notify('removed', task);
    removed++;
  }
  // Nothing would bring them back, and their deliveries would be answered 503 for ever.
  for (const uuid of absent) {
    if (isSure(uuid) && (await tasks.remove(uuid, began - recentMs)) !== 'kept') removed++;
    else stayed++;
  }
  await tasks.countKinds();
  await deps.synchronized.note(made, began);
  logger.info({ hooks: kept, removed, stayed }, 'tasks are in line with the hooks of the API');
  return stayed;
}

/**
 * Which of the tasks that the API does not list may be removed now: all, or where they are more
 * than half of all tasks those that an earlier look did not find either.
 */
async function sureToBeGone(
  { synchronized, logger, now, secondLookMs = SECOND_LOOK_MS }: SynchronizeTasksDeps,
  gone: readonly string[],
  stillListed: number,
): Promise<(uuid: string) => boolean> {
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
      'the API lists less than half of the hooks that are tasks here: none is removed before a second look finds the same',
    );
  return isSure;
}

/**
 * Tries until it succeeded, with growing pauses of at most 30 s, and looks again while tasks stay that the API does not
 * list; until `signal` ends it, or `wake` a pause.
 */
export async function synchronizeUntilDone(
  deps: SynchronizeTasksDeps,
  signal: AbortSignal,
  wake: AbortSignal,
): Promise<void> {
  const either = AbortSignal.any([signal, wake]);
  const pause = (ms: number) => sleep(ms, undefined, { signal: either }).catch(() => undefined);
  const { recentMs = RECENT_MS, secondLookMs = SECOND_LOOK_MS } = deps;
  for (let tries = 0; !either.aborted; tries++) {
    try {
      const stayed = await deps.oncePerCluster(() => synchronizeTasks(deps, signal), signal);
      if (stayed === 0) return;
      await pause(Math.min(recentMs, secondLookMs));
      tries = -1;
      continue;
    } catch (error) {
      if (signal.aborted) return;
      deps.logger.warn({ error }, 'the hooks of the API could not be read: trying again');
    }
    await pause(Math.min(MAX_PAUSE_MS, 1_000 * 2 ** Math.min(tries, 10)));
  }
}
