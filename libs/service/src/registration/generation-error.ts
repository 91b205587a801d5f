import { type CdsGeneration, cdsMinor, GENERATION_NAMES, generationOf } from '@cds/config';

const KNOWN = Object.entries(GENERATION_NAMES)
  .map(([first, name]) => `${name} (${first === '0.40' ? 'shared.infra' : 'consumer'} token)`)
  .join(', ');

/** What an operator is to do about `api.token`, by its form. */
export const TOKEN_ADVICE = {
  sharedInfra: "set api.token to the API's shared.infra token, sharedInfraToken in [api.auth]",
  consumer:
    'set api.token to the token of a consumer of this service alone: `engine config new` of that CDS or `cdsctl consumer new` makes one',
};

/**
 * The API is of a version that is not known, or of one that `api.token` does not belong to.
 * `message` names the versions that are known, and what to do.
 */
export class GenerationError extends Error {
  override readonly name = 'GenerationError';
}

/**
 * The generation of a running API.
 * @param version of its `/mon/version`
 * @param isConsumer whether `api.token` is that of a consumer
 * @returns undefined for a version without numbers, `snapshot` for instance
 * @throws GenerationError for one that is too old, or that takes the other form of token
 */
export function generationFor(version: string, isConsumer: boolean): CdsGeneration | undefined {
  if (cdsMinor(version) === undefined) return undefined;
  const shown = JSON.stringify(version.slice(0, 50));
  const generation = generationOf(version);
  if (!generation)
    throw new GenerationError(`the CDS API ${shown} is too old: these services work with ${KNOWN}`);
  if (isConsumer === (generation !== '0.40')) return generation;
  const advice = isConsumer ? TOKEN_ADVICE.sharedInfra : TOKEN_ADVICE.consumer;
  throw new GenerationError(
    `the CDS API ${shown} does not take the form of api.token: ${advice}. Versions: ${KNOWN}`,
  );
}
