import { isApiError } from '@cds/api-client';

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
