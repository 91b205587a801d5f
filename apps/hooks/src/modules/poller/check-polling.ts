import type { CdsApiClient } from '@cds/api-client';
import { CdsError, isCdsError } from '@cds/wire';
import type { ApiCaller } from '../../queue/call-api';
import type { Failure } from '../../queue/api-failure';
import type { HandledTask } from '../task-handler';
import { notPolled } from './poll-hook';
import type { PollStore } from '@cds/hooks-store';
import { polledHook } from './polled-hook';
import { isVcsReached } from './vcs-reached';

/** A user waits for the answer. */
const DEADLINE_MS = 10_000;

export type CheckPolling = (task: HandledTask) => Promise<void>;

/**
 * Refuses the start of a poller whose repository cannot be polled. Only the API knows: it is asked
 * unless the last poll succeeded. During an API outage, or when the API reaches no `vcs`, the task
 * starts.
 *
 * @throws CdsError 501 with the reason
 */
export function createCheckPolling(deps: {
  api: Pick<CdsApiClient, 'pollVcsEvents' | 'vcsServers'>;
  callApi: ApiCaller;
  store: Pick<PollStore, 'lastError' | 'now'>;
}): CheckPolling {
  const { api, callApi, store } = deps;
  return async function checkPolling({ uuid, config }) {
    if ((await store.lastError(uuid)) === '') return;
    const hook = polledHook(uuid, config);
    // The module's `unsupported` has refused it before.
    if (typeof hook === 'string') return;
    const since = await store.now();
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const ask = async () => ({ events: await api.pollVcsEvents(hook, since, deadline) });
    try {
      const called = await callApi(ask, () => Promise.resolve(true));
      if (called?.ok && !called.value.events && (await isVcsReached({ api, callApi }, deadline)))
        throw notStarted(notPolled(hook.vcsServer));
      if (called?.ok === false) refuseFor(called.failure);
    } catch (error) {
      if (isCdsError(error) || !deadline.aborted) throw error;
    }
  };
}

/** @throws CdsError 501 where the API refused the poll */
function refuseFor(failure: Failure): void {
  if (failure.kind === 'refused' && (failure.status ?? 400) < 500)
    throw notStarted(failure.message);
}

function notStarted(reason: string): CdsError {
  return new CdsError('notImplemented', {
    from: `a task of type RepoPoller cannot be started: ${reason}`,
  });
}
