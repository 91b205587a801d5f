import { isConsumerToken } from '@cds/wire';
import type { ApiSession, SessionDeps } from './api-session';
import { createConsumerSession } from './consumer-session';
import { createSharedInfraSession } from './shared-infra-session';

/** The session for the form of the token. */
export function createSession(deps: SessionDeps): ApiSession {
  return isConsumerToken(deps.token())
    ? createConsumerSession(deps)
    : createSharedInfraSession(deps);
}
