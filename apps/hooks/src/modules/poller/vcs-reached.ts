import type { CdsApiClient } from '@cds/api-client';
import type { ApiCaller } from '../../queue/call-api';

/**
 * Whether the API reaches a `vcs`. Without one it answers a poll as if the server did not offer
 * polling.
 *
 * @throws the reason of `signal`
 */
export async function isVcsReached(
  { api, callApi }: { api: Pick<CdsApiClient, 'vcsServers'>; callApi: ApiCaller },
  signal: AbortSignal,
): Promise<boolean> {
  const called = await callApi(
    () => api.vcsServers(signal),
    () => Promise.resolve(!signal.aborted),
  );
  if (!called) return false;
  if (called.ok) return called.value.length > 0;
  // An API that refuses this route says nothing about `vcs`.
  return called.failure.kind === 'refused' && (called.failure.status ?? 500) < 500;
}
