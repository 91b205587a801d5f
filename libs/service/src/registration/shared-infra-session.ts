import { type CdsApiClient, isApiError } from '@cds/api-client';
import { CdsError } from '@cds/wire';
import type { ApiSession, SessionDeps } from './api-session';
import { GenerationError, generationFor, TOKEN_ADVICE } from './generation-error';
import { createReportedVersion } from './reported-version';

/**
 * CDS 0.40 to 0.43: each heartbeat registers the service anew with the shared.infra token. The API
 * gives it a hash, which both show each other in `X_AUTH_HEADER`.
 */
export function createSharedInfraSession(deps: SessionDeps): ApiSession {
  const { api, identity, hashes, logger } = deps;
  const version = createReportedVersion({ api, logger });

  const send = async (signal: AbortSignal): Promise<{ up_to_date: boolean }> => {
    const status = await deps.monitoring();
    const answer = await api.register(
      {
        name: identity.name,
        type: identity.type,
        http_url: identity.url,
        token: deps.token(),
        monitoring_status: version.inStatus(status),
        config: deps.config,
        version: version.reported,
      },
      signal,
    );
    hashes.add(answer.hash);
    return answer;
  };

  const register = async (signal: AbortSignal): Promise<void> => {
    const answer = await send(signal).catch(async (error: unknown) => {
      throw (await otherGeneration(api, error)) ?? error;
    });
    // The API was upgraded, or this is the first time: from now on it gets its own version.
    if (!answer.up_to_date && (await version.refresh(signal))) version.check(await send(signal));
    else version.check(answer);
  };

  return {
    adviceFor: () => TOKEN_ADVICE.sharedInfra,
    heartbeat: register,
    renew: register,
    isAllowed({ headers: { x_auth_header: header } }) {
      return typeof header === 'string' && hashes.includes(header);
    },
    hasCredentials: ({ headers }) => typeof headers.x_auth_header === 'string',
    settled: () => hashes.settled(),
    refusal: ({ headers }) => ({
      error: new CdsError('notAuthenticated'),
      reason: headers.x_auth_header === undefined ? NO_HEADER : WRONG_HEADER,
    }),
    errorBody: (error) => error.toBody(),
    version,
  };
}

const NO_HEADER = 'there is no X_AUTH_HEADER: the caller is not the CDS API';
const WRONG_HEADER =
  'its X_AUTH_HEADER holds no hash that the CDS API ever gave to this service under this name';

/** A later API answers the registration with 401 or 404. Its version says so better. */
async function otherGeneration(
  api: Pick<CdsApiClient, 'version'>,
  error: unknown,
): Promise<GenerationError | undefined> {
  if (!isApiError(error) || (error.status !== 401 && error.status !== 404)) return undefined;
  try {
    generationFor((await api.version()).version, false);
  } catch (other) {
    if (other instanceof GenerationError) return other;
  }
  return undefined;
}
