import { waitFor } from '@cds/testing';
import type { NodeHook, TaskExecution } from '@cds/wire';
import type { RunningHooks, World } from './harness';
import { type Change, pushDelivery } from './pushes';

/** Delivers one push; like Bitbucket again where the answer is a 503, as it is where Redis is slow on a busy machine. */
export async function push(
  hooks: RunningHooks,
  hook: NodeHook,
  ...changes: Change[]
): Promise<void> {
  const delivery = pushDelivery(...changes);
  const status = await waitFor(async () => {
    const response = await hooks.webhook(hook.uuid, delivery);
    return response.status !== 503 && response.status;
  });
  if (status !== 200) throw new Error(`webhook answered ${status}`);
}

/** Branches or tags of the runs that the API was asked for, in order. */
export function refsOf(world: World, hook?: NodeHook): (string | undefined)[] {
  return world.api
    .runs()
    .filter((run) => !hook || run.hook.uuid === hook.uuid)
    .map(({ hook: { payload } }) => payload['git.branch'] ?? payload['git.tag']);
}

/** The execution of the first delivery, or of a later one. */
export async function execution(
  hooks: RunningHooks,
  hook: NodeHook,
  at = 0,
): Promise<TaskExecution> {
  const found = (await hooks.executions(hook.uuid)).at(-1 - at);
  if (!found) throw new Error('no such execution');
  return found;
}

export async function allDone(hooks: RunningHooks, hook: NodeHook): Promise<void> {
  await waitFor(
    async () => (await hooks.executions(hook.uuid)).every(({ status }) => status === 'DONE'),
    { what: 'all executions to be done' },
  );
}
