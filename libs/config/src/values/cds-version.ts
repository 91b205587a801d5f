/** The first version of each range of CDS versions that talks to its services in one way. */
export const CDS_GENERATIONS = ['0.40', '0.44', '0.51', '0.54'] as const;
export type CdsGeneration = (typeof CDS_GENERATIONS)[number];

/** What each is called. */
export const GENERATION_NAMES: Readonly<Record<CdsGeneration, string>> = {
  '0.40': 'CDS 0.40 to 0.43',
  '0.44': 'CDS 0.44 to 0.50',
  '0.51': 'CDS 0.51 to 0.53',
  '0.54': 'CDS 0.54 and later',
};

const FIRST_MINOR = 40;
const LAST_MINOR = 57;
/** The versions whose configuration is known key by key. */
export const KNOWN_CDS_VERSIONS: readonly string[] = Array.from(
  { length: LAST_MINOR - FIRST_MINOR + 1 },
  (_, index) => `0.${FIRST_MINOR + index}`,
);
export const CDS_VERSION_OF_TODAY = `0.${LAST_MINOR}`;

/**
 * The number of a version, to compare: 57 for `0.57`, `v0.57.0` and `0.57.0+build`, 1,002 for
 * `1.2`. Undefined for anything else.
 */
export function cdsMinor(version: string): number | undefined {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,3})(?:[.+-]|$)/i.exec(version.trim()) ?? [];
  return major === undefined ? undefined : Number(major) * 1_000 + Number(minor);
}

/** Whether a version is `first` or later; undefined where it has no numbers. */
export function isCdsAtLeast(version: string, first: string): boolean | undefined {
  const minor = cdsMinor(version);
  return minor === undefined ? undefined : minor >= (cdsMinor(first) ?? 0);
}

/** The one of {@link KNOWN_CDS_VERSIONS} that `v0.57.1`, for instance, is a patch of. */
export function knownCdsVersion(version: string): string | undefined {
  const minor = cdsMinor(version);
  return KNOWN_CDS_VERSIONS.find((known) => cdsMinor(known) === minor);
}

/** Whether services of this version sign in with consumers: 0.44 and later. */
export function takesConsumerTokens(version: string): boolean {
  return generationOf(version) !== '0.40';
}

/** The range that a version is in. Undefined before 0.40, and for what is no version. */
export function generationOf(version: string): CdsGeneration | undefined {
  const minor = cdsMinor(version) ?? -1;
  return CDS_GENERATIONS.findLast((first) => minor >= (cdsMinor(first) ?? Infinity));
}
