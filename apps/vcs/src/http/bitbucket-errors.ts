import { DeadGrantError, isBitbucketError, type BitbucketError } from '@cds/bitbucket';
import { CdsError, type KnownErrorName } from '@cds/wire';

/** The error for a 404 of Bitbucket on a route. */
export type MissingKind = Extract<KnownErrorName, 'notFound' | 'repositoryNotFound'>;

/** The other errors of {@link bitbucketErrorToCds}, and those of Redis and of the deadline. */
export const BITBUCKET_ERRORS = [
  'grantRefused',
  'credentialRefused',
  'forbidden',
  'conflict',
  'tooManyRequests',
  'badGateway',
  'unavailable',
  'gatewayTimeout',
] as const satisfies KnownErrorName[];

/** Seconds to wait after a 429 that does not say how long; Bitbucket counts over a rolling hour. */
const DEFAULT_RETRY_AFTER_SECONDS = 60;

/**
 * CDS's error for an error of Bitbucket, with its message. Returns other errors as they are.
 * @param adviceOn what to do about it, where that depends on the credential
 */
export function bitbucketErrorToCds(
  error: unknown,
  missing: MissingKind,
  adviceOn: (error: BitbucketError) => string | undefined = () => undefined,
): unknown {
  if (!isBitbucketError(error)) return error;
  const kind = kindOf(error, missing);
  const advice = adviceOn(error);
  const from = `(bitbucketcloud_error) ${error.bitbucketMessage}`;
  return new CdsError(kind, {
    from: advice === undefined ? from : `${from}: ${advice}`,
    headers: kind === 'tooManyRequests' ? { 'Retry-After': retryAfter(error) } : undefined,
    cause: error,
  });
}

/**
 * The same for the token endpoint: only a {@link DeadGrantError} is about the project's grant,
 * others are about the OAuth consumer.
 */
export function tokenErrorToCds(error: unknown): unknown {
  if (!isBitbucketError(error) || error instanceof DeadGrantError || error.status === 429)
    return bitbucketErrorToCds(error, 'notFound');
  return new CdsError(error.kind === 'timeout' ? 'gatewayTimeout' : 'badGateway', {
    from: `(bitbucketcloud_error) ${error.bitbucketMessage}`,
    cause: error,
  });
}

/** By the status of Bitbucket's answer; any other is a bad gateway. */
const KINDS: Readonly<Record<number, KnownErrorName>> = {
  400: 'wrongRequest',
  // The client renewed the token already and was refused again.
  401: 'grantRefused',
  402: 'forbidden',
  403: 'forbidden',
  409: 'conflict',
  429: 'tooManyRequests',
};

function kindOf(error: BitbucketError, missing: MissingKind): KnownErrorName {
  if (error instanceof DeadGrantError) return 'grantRefused';
  if (error.kind === 'timeout') return 'gatewayTimeout';
  if (error.kind !== 'answer') return 'badGateway';
  return error.status === 404 ? missing : (KINDS[error.status ?? 0] ?? 'badGateway');
}

function retryAfter(error: BitbucketError): string {
  return String(Math.max(1, Math.ceil(error.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS)));
}
