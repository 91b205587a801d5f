import { errorText } from '../error-text';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';
import { isCdsError, type NodeHook } from '@cds/wire';
import type { Clock } from '../clock';
import { nodeHookSchema, taskOfHook, type TaskToKeep } from './node-hook';
import type { TaskStore } from './task-store';
import { warnOfUnserved } from './unserved-kinds';

export interface SynchronizeTasksDeps {
  api: Pick<CdsApiClient, 'workflowHooks'>;
  tasks: TaskStore;
  logger: Logger;
  now: Clock;
  urlPublic: string;
}

/** The API lists what it has committed; a hook it is about to commit was posted before. */
const RECENT_MS = 10 * 60 * 1000;
const AT_ONCE = 100;
const LONGEST_PAUSE_MS = 30_000;

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
 * Scheduled cleanups are no hooks and never touched. A task stays when deliveries wait for it, or when it was changed
 * in the ten minutes before the call: the API may not have committed it yet.
 */
export async function synchronizeTasks(
  deps: SynchronizeTasksDeps,
  signal?: AbortSignal,
): Promise<void> {
  const { api, tasks, logger, now } = deps;
  const began = now();
  const hooks = await api.workflowHooks(signal);
  const listed = hooks.flatMap((hook) => taskOf(hook, deps) ?? []);
  for (let i = 0; i < listed.length; i += AT_ONCE) {
    await Promise.all(listed.slice(i, i + AT_ONCE).map((task) => tasks.put(task, began, began)));
  }
  for (const { type } of listed) warnOfUnserved(logger, type);

  const uuids = new Set(hooks.map(({ uuid }) => uuid));
  const unlisted = (await tasks.uuids()).filter((uuid) => !uuids.has(uuid));
  let removed = 0;
  for (const uuid of unlisted) {
    if ((await tasks.remove(uuid, began - RECENT_MS)) === 'ok') removed++;
  }
  logger.info({ hooks: listed.length, removed }, 'tasks are in line with the hooks of the API');
}

/** Tries until it succeeded once, with growing pauses of at most 30 s, or until `signal` ends it. */
export async function synchronizeUntilDone(
  deps: SynchronizeTasksDeps,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      await synchronizeTasks(deps, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      deps.logger.warn(
        { error: errorText(error) },
        'the hooks of the API could not be read: trying again',
      );
    }
    const pause = Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** Math.min(tries, 10));
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}
