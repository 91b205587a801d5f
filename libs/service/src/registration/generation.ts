/** The ranges of versions of the CDS API between which its services authenticate differently. */
export const GENERATIONS = {
  '0.40': {
    versions: '0.40 to 0.43',
    token: 'shared.infra',
    advice: "set api.token to the API's shared.infra token, sharedInfraToken in [api.auth]",
  },
  '0.44': {
    versions: '0.44 to 0.50',
    token: 'consumer',
    advice:
      'set api.token to the token of a consumer: `cdsctl consumer new` or `engine config new` of that CDS makes one',
  },
  '0.51': {
    versions: '0.51 and later',
    token: 'consumer',
    advice:
      'set api.token to the token of a consumer: `cdsctl consumer new` or `engine config new` of that CDS makes one',
  },
} as const;

export type Generation = keyof typeof GENERATIONS;

const RANGES = Object.values(GENERATIONS)
  .map(({ versions, token }) => `${versions} (${token} token)`)
  .join(', ');

/**
 * The API is of a version that is not known, or of one that `api.token` does not belong to.
 * `message` names the versions that are known, and what to do.
 */
export class GenerationError extends Error {
  override readonly name = 'GenerationError';
}

/**
 * The generation of an API.
 * @param version of its `/mon/version`
 * @returns undefined for a version without numbers, `snapshot` for instance
 * @throws GenerationError for one before 0.40
 */
export function generationOf(version: string): Generation | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const number = Number(major) * 1_000 + Number(minor);
  if (number >= 51) return '0.51';
  if (number >= 44) return '0.44';
  if (number >= 40) return '0.40';
  throw new GenerationError(
    `the CDS API ${shown(version)} is too old: these services work with ${RANGES}`,
  );
}

/** The error of an API whose services authenticate otherwise than by this form of token. */
export function wrongToken(version: string, generation: Generation): GenerationError {
  const { versions, token, advice } = GENERATIONS[generation];
  return new GenerationError(
    `the CDS API ${shown(version)} wants a ${token} token (as ${versions}), and api.token is none: ${advice}. Versions: ${RANGES}`,
  );
}

function shown(version: string): string {
  return JSON.stringify(version.slice(0, 50));
}
