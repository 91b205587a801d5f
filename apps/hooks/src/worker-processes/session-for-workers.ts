import { type CdsApiClient, type HeldSession, secretOf, type SharedSession } from '@cds/api-client';
import type { Registration } from '@cds/service';

/**
 * Answers worker processes that ask for the session of this service. One that has the same already
 * asks since the API refuses it, its end is near, or the API signs with another key: this process
 * gets another one first.
 */
export function createSessionForWorkers(deps: {
  api: Pick<CdsApiClient, 'session'>;
  registration: Pick<Registration, 'firstRegistration' | 'registerNow'>;
}): (held: HeldSession) => Promise<SharedSession> {
  const { api, registration } = deps;
  return async ({ secret, isRefused }) => {
    await registration.firstRegistration();
    const before = api.session();
    const isSame = before !== undefined && secretOf(before) === secret;
    // A hash has no end: a worker process asks for it with each of its heartbeats.
    if (isSame && (isRefused || before.kind === 'jwt')) await registration.registerNow();
    const session = api.session();
    if (!session) throw new Error('this service is not registered with the CDS API yet');
    return session;
  };
}
