import { isApiError } from '@cds/api-client';
import { GenerationError, TOKEN_ADVICE } from './generation-error';

/** CDS's words for what another try does not mend: the consumer is one of another service. */
const FOR_GOOD = /service (?:name|type|region) .*doesn't match|missing service payload/;

/**
 * The consumer of `api.token` belongs to a service of another name or type. A start that meets it
 * ends.
 */
export class ConsumerRefusedError extends Error {
  override readonly name = 'ConsumerRefusedError';
  constructor(reason: string, { name, type }: { name: string; type: string }) {
    super(
      `the CDS API refuses this service: ${reason}. A consumer that CDS made for a service has a fixed name and type: ` +
        `set ${type}.name to the name of the consumer of ${type}.api.token (it is ${JSON.stringify(name)} now), or make a consumer for this name`,
    );
  }
}

/** @returns CDS's reason where `error` is a refusal of the name or the type */
export function refusedForGood(error: unknown): string | undefined {
  if (!isApiError(error) || error.status !== 403) return undefined;
  return FOR_GOOD.test(error.message) ? error.message : undefined;
}

/**
 * Whether the API refuses the service itself, so that waiting does not mend it. CDS 0.44 answers a
 * wrong token with 400, others with 401 or 403.
 */
export function isTokenRefused(error: unknown): boolean {
  if (error instanceof GenerationError || error instanceof ConsumerRefusedError) return true;
  return isApiError(error) && error.kind !== 'unavailable' && REFUSED.has(error.status ?? 0);
}

/** 409: another service has the name. */
const REFUSED = new Set([400, 401, 403, 409]);

/** What an operator is to do where the API refuses a consumer. */
export function consumerAdvice(error: unknown): string {
  if (!isApiError(error)) return TOKEN_ADVICE.consumer;
  if (error.status === 409)
    return 'another service of this CDS has this name: set name to that of the consumer of api.token; where it is this service with an earlier token, CDS forgets it 180 s after it ended';
  // The sign-in has succeeded.
  if (error.status === 401)
    return 'give the consumer of api.token the scope Service (hooks: Service, Project, Run and Hooks)';
  // CDS gives its reason for a wrong token and a wrong name, and none for these.
  if (error.status === 403 && !error.message.includes('(from: '))
    return 'the consumer of api.token was used by a service of another type before, is disabled, or belongs to a user who is no administrator of CDS: make another one for this service';
  return TOKEN_ADVICE.consumer;
}
