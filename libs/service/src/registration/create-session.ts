import type { ApiSession, SessionDeps } from './api-session';
import { createConsumerSession } from './consumer-session';
import { isConsumerToken } from '@cds/wire';
import { GENERATIONS } from './generation';
import { createSharedInfraSession } from './shared-infra-session';

/** The session for the generation of the configuration, or else for the form of the token. */
export function createSession(deps: SessionDeps): ApiSession {
  const signsIn = deps.generation
    ? GENERATIONS[deps.generation].token === 'consumer'
    : isConsumerToken(deps.token);
  return signsIn ? createConsumerSession(deps) : createSharedInfraSession(deps);
}
