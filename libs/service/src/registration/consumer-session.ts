import { hostname } from 'node:os';
import type { KeyObject } from 'node:crypto';
import { isApiError } from '@cds/api-client';
import type { CdsGeneration } from '@cds/config';
import { abortable, withTimeout } from '@cds/network';
import { CdsError } from '@cds/wire';
import type { ApiSession, SessionDeps } from './api-session';
import {
  consumerAdvice,
  ConsumerRefusedError,
  isTokenRefused,
  refusedForGood,
} from './token-refusal';
import { generationFor } from './generation-error';
import { isSignedBy, type SignedRequest } from './http-signature';
import { createReportedVersion } from './reported-version';

/** A JWT is replaced when so much of its lifetime, an hour, is over. */
const RENEW_AFTER = 0.8;
/**
 * Between two sign-ins because of a signature that does not verify. The pause grows while the API
 * has the key that it had: a stranger may send anything.
 */
const RECHECK_MS = { first: 5_000, max: 60_000 };
/** How long a call waits for the sign-in that tells whether it is signed: all may wait at once. */
const SIGN_IN_MS = 5_000;

/**
 * CDS 0.44 and later: the service signs in with the token of a consumer, shows the JWT that it
 * gets, and sends heartbeats apart. The API signs its calls with a key that each sign-in tells.
 */
export function createConsumerSession(deps: SessionDeps): ApiSession {
  const { api, identity, hashes, logger } = deps;
  const version = createReportedVersion({ api, logger });
  const service = {
    name: identity.name,
    type: identity.type,
    http_url: identity.url,
    config: deps.config,
  };
  /** Monotonic; before it no sign-in is needed. */
  let renewAt = -Infinity;
  let key: KeyObject | undefined;
  let recheckAt = -Infinity;
  let recheckMs = RECHECK_MS.first;
  /** Signing in because of a signature that does not verify. */
  let recheck: Promise<void> | undefined;
  /** The key that was tried last, and with what result: a request is asked about several times. */
  const verified = new WeakMap<SignedRequest, { by: KeyObject; isSigned: boolean }>();
  let onFirstKey: () => void = () => undefined;
  const firstKey = new Promise<void>((resolve) => (onFirstKey = resolve));

  /** Those to try, in order: an API whose version has no numbers is of 0.51 or later as a rule. */
  async function generations(signal: AbortSignal): Promise<CdsGeneration[]> {
    await version.refresh(signal, { orThrow: !deps.generation });
    if (deps.generation) return [deps.generation];
    const generation = generationFor(version.ofApi, true);
    return generation ? [generation] : ['0.54', '0.44'];
  }

  async function signInAs(generation: CdsGeneration, signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const isWithService = generation !== '0.44';
    const request = { token: deps.token(), service: isWithService ? service : undefined };
    const given = await api.signIn(request, signal);
    if (!isWithService)
      await api.registerService({ ...service, version: version.reported }, signal);
    key = given.signingKey;
    hashes.add(key.export({ type: 'spki', format: 'pem' }).toString());
    renewAt = began + given.lifetimeSeconds * 1_000 * RENEW_AFTER;
    onFirstKey();
  }

  async function signIn(signal: AbortSignal): Promise<void> {
    const [first, ...others] = await generations(signal);
    if (!first) return;
    try {
      await signInAs(first, signal);
    } catch (error) {
      const [other] = others;
      // An API before 0.51 cannot read a sign-in with a service: 400 (0.44) or 403.
      if (!other || !isTokenRefused(error)) throw refused(error);
      await signInAs(other, signal).catch(() => {
        throw refused(error);
      });
    }
  }

  function refused(error: unknown): unknown {
    const reason = refusedForGood(error);
    return reason === undefined ? error : new ConsumerRefusedError(reason, identity);
  }

  async function sendHeartbeat(signal: AbortSignal): Promise<void> {
    const { now, lines } = version.inStatus(await deps.monitoring());
    const of = { type: identity.type, service: identity.name, hostname: hostname() };
    await api.heartbeat({ now, lines: lines.map((line) => ({ ...line, ...of })) }, signal);
  }

  const renew = async (signal: AbortSignal): Promise<void> => {
    renewAt = -Infinity;
    await signIn(signal);
    await sendHeartbeat(signal);
  };

  async function recheckKey(before: KeyObject): Promise<void> {
    await deps.renewNow().catch(() => undefined);
    recheckMs = key?.equals(before) ? Math.min(2 * recheckMs, RECHECK_MS.max) : RECHECK_MS.first;
    recheckAt = performance.now() + recheckMs;
    recheck = undefined;
  }

  return {
    adviceFor: consumerAdvice,
    async heartbeat(signal) {
      if (performance.now() >= renewAt) return renew(signal);
      try {
        await sendHeartbeat(signal);
      } catch (error) {
        // 401: the JWT is not good any more. 403: the API has removed the service.
        if (!isApiError(error) || (error.status !== 401 && error.status !== 403)) throw error;
        await renew(signal);
      }
    },
    renew,
    isAllowed(request) {
      if (!key) return false;
      const known = verified.get(request);
      if (known && (known.isSigned || known.by === key)) return known.isSigned;
      const isSigned = isSignedBy(key, request);
      verified.set(request, { by: key, isSigned });
      return isSigned;
    },
    hasCredentials: ({ headers }) => headers.authorization?.startsWith('Signature ') ?? false,
    async settled(refusedRequest) {
      if (!key) return waitFor(firstKey);
      if (!refusedRequest) return;
      // The API may have been started with another key since. All its calls wait for the new one.
      if (performance.now() >= recheckAt) recheck ??= recheckKey(key);
      await waitFor(recheck);
    },
    refusal(request) {
      const isSigned = request.headers.authorization !== undefined;
      if (!key && isSigned)
        return {
          reason: 'this service has not signed in to the CDS API yet, and cannot verify signatures',
          error: new CdsError('unavailable', {
            from: 'the service has not signed in to the CDS API yet',
            headers: { 'Retry-After': '5' },
          }),
        };
      return {
        error: new CdsError('notAuthenticated'),
        reason: isSigned ? WRONG_SIGNATURE : NO_SIGNATURE,
      };
    },
    errorBody: (error, requestId) => error.toBodyWithFrom(requestId),
    version,
  };
}

const NO_SIGNATURE = 'the request is not signed: the caller is not the CDS API';
const WRONG_SIGNATURE =
  'its signature is not that of the CDS API: a proxy in front of this service has to pass the path and the Host header as they are';

/** Never rejects. */
async function waitFor(signIn: Promise<void> | undefined): Promise<void> {
  if (!signIn) return;
  await withTimeout(undefined, SIGN_IN_MS, ({ signal }) =>
    abortable(signIn, signal, () => new Error('not signed in yet')),
  ).catch(() => undefined);
}
