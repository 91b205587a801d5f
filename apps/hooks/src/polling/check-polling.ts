import type { CdsApiClient } from '@cds/api-client';
import { CdsError } from '@cds/wire';
import type { ApiCaller } from '../executions/api-calls';
import type { ListenedTask } from '../kinds/task-listeners';
import { notPolled } from './poll-hook';
import type { PollStore } from './poll-store';
import { polledHook } from './poller-kind';

/** Whoever starts a task waits for the answer. */
const DEADLINE_MS = 10_000;

export type CheckPolling = (task: ListenedTask) => Promise<void>;

/**
 * Refuses the start of a poller whose repository cannot be polled. Only the API knows: it is asked unless the last poll was
 * answered. An API that does not answer refuses nothing: the task starts, and its polls tell.
 *
 * @throws CdsError 501 with the reason
 */
export function createCheckPolling(deps: {
  api: Pick<CdsApiClient, 'pollVcsEvents'>;
  callApi: ApiCaller;
  store: Pick<PollStore, 'lastError' | 'now'>;
}): CheckPolling {
  const { api, callApi, store } = deps;
  return async function checkPolling({ uuid, type, config }) {
    if (type !== 'RepoPoller' || (await store.lastError(uuid)) === '') return;
    const hook = polledHook(uuid, config);
    // Its kind has refused it before.
    if (typeof hook === 'string') return;
    const since = await store.now();
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const ask = async () => ({ events: await api.pollVcsEvents(hook, since, deadline) });
    const called = await callApi(ask, () => Promise.resolve(true)).catch((error: unknown) => {
      if (deadline.aborted) return undefined;
      throw error;
    });
    if (!called) return;
    if (called.ok) {
      if (!called.value.events) throw notStarted(notPolled(hook.vcsServer));
    } else if (called.failure.kind === 'refused' && (called.failure.status ?? 400) < 500) {
      throw notStarted(called.failure.message);
    }
  };
}

function notStarted(reason: string): CdsError {
  return new CdsError('notImplemented', {
    from: `a task of type RepoPoller cannot be started: ${reason}`,
  });
}
