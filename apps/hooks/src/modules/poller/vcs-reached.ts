import type { CdsApiClient } from '@cds/api-client';
import type { ApiCaller } from '../../queue/call-api';

/** What is needed to ask whether the API reaches a `vcs`. */
export interface VcsReachedDeps {
  api: Pick<CdsApiClient, 'vcsServers'>;
  callApi: ApiCaller;
}

/**
 * Whether the API reaches a `vcs` at this moment. Without one it answers a poll as if the server
 * did not offer polling, so that its no means something only when it does.
 *
 * @throws the reason of `signal`
 */
export async function isVcsReached(
  { api, callApi }: VcsReachedDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const called = await callApi(
    () => api.vcsServers(signal),
    () => Promise.resolve(!signal.aborted),
  );
  if (!called) return false;
  if (called.ok) return called.value.length > 0;
  // An API that refuses to tell has no say in it.
  return called.failure.kind === 'refused' && (called.failure.status ?? 500) < 500;
}
