import { waitFor } from '@cds/testing';
import type { NodeHook, TaskExecution } from '@cds/wire';
import type { RunningHooks, WebhookRequest } from './running-hooks';
import type { TestContext } from './test-context';
import { type Change, pushDelivery } from './pushes';

/**
 * Sends a delivery; like Bitbucket again where the answer is a 503, as it is where Redis is slow on
 * a busy machine.
 */
export function deliver(
  hooks: RunningHooks,
  uuid: string,
  request?: WebhookRequest,
): Promise<Response> {
  return waitFor(async () => {
    const response = await hooks.webhook(uuid, request);
    return response.status === 503 ? undefined : response;
  });
}

/** Delivers one push. */
export async function push(
  hooks: RunningHooks,
  hook: NodeHook,
  ...changes: Change[]
): Promise<void> {
  const { status } = await deliver(hooks, hook.uuid, pushDelivery(...changes));
  if (status !== 200) throw new Error(`webhook answered ${status}`);
}

/** Branches or tags of the runs that the API was asked for, in order. */
export function refsOf(context: TestContext, hook?: NodeHook): (string | undefined)[] {
  return context.api
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
