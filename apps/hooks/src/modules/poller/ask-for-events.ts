import type { PolledEvents, PolledHook } from '@cds/api-client';
import type { HookConfig } from '@cds/wire';
import type { PollResult } from '../../queue/work-metrics';
import type { Resources } from '../../resources';

/** `error`: why there are no events, for the operator. */
export type EventsAnswer =
  | { result: 'ok'; events: PolledEvents }
  | { result: Exclude<PollResult, 'ok'>; error: string };

const VCS_AWAY = 'the API reaches no vcs, without which no repository can be polled';

/** What the API polls for a hook. @returns a sentence when the configuration is incomplete */
export function polledHook(uuid: string, config: HookConfig | null): PolledHook | string {
  const vcsServer = config?.vcsServer?.value ?? '';
  const workflowId = config?.workflow_id?.value ?? '';
  if (vcsServer === '' || !config?.repoFullName?.value)
    return (
      'its configuration names no repository (vcsServer, repoFullName): ' +
      'give its workflow an application that is linked to one, and save it'
    );
  if (!/^[1-9]\d{0,18}$/.test(workflowId))
    return 'its configuration holds no workflow_id: save its workflow';
  return { uuid, workflowId, vcsServer };
}

/**
 * Asks the API for the events of a repository.
 *
 * @param since ms
 * @throws the reason of `signal`
 */
export async function askForEvents(
  { api, callApi }: Pick<Resources, 'api' | 'callApi'>,
  hook: PolledHook,
  since: number,
  signal: AbortSignal,
): Promise<EventsAnswer> {
  const isAwaited = () => Promise.resolve(!signal.aborted);
  const called = await callApi(() => api.pollVcsEvents(hook, since, signal), isAwaited);
  signal.throwIfAborted();
  if (!called?.ok) {
    const failure = called?.failure;
    const isNo = failure?.kind === 'refused' && (failure.status ?? 400) < 500;
    return { result: isNo ? 'refused' : 'unavailable', error: failure?.message ?? 'given up' };
  }
  if (called.value) return { result: 'ok', events: called.value };

  // Without a `vcs` the API answers a poll as if the server did not offer polling.
  const servers = await callApi(() => api.vcsServers(signal), isAwaited);
  // An API that refuses this route says nothing about `vcs`.
  const isReached = servers?.ok
    ? servers.value.length > 0
    : servers?.failure.kind === 'refused' && (servers.failure.status ?? 500) < 500;
  return isReached
    ? { result: 'unsupported', error: notPolled(hook) }
    : { result: 'unavailable', error: VCS_AWAY };
}

function notPolled({ vcsServer }: PolledHook): string {
  return (
    `the VCS server ${JSON.stringify(vcsServer.slice(0, 100))} does not offer polling: ` +
    'for Bitbucket Cloud set polling = true in its section of vcs; other hosts are not polled'
  );
}
