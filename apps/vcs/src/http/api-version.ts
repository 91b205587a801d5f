import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';

const ASK_EVERY_MS = 10 * 60_000;

/** Which CDS we serve, for the few answers that changed between its versions. */
export interface ApiVersion {
  /** False while the version is not known: CDS 0.41 is then taken for granted. */
  atLeast(major: number, minor: number): boolean;
}

export interface ObservedApiVersion extends ApiVersion {
  /** Asks the API, unless that was done in the last ten minutes. Never rejects. */
  refresh(): Promise<void>;
}

/** Asks the API's `/mon/version`; a version that is no number (`snapshot`) counts as unknown. */
export function createApiVersion(deps: {
  api: Pick<CdsApiClient, 'version'>;
  logger: Logger;
}): ObservedApiVersion {
  let known: { major: number; minor: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    atLeast(major, minor) {
      if (!known) return false;
      return known.major > major || (known.major === major && known.minor >= minor);
    },
    async refresh() {
      if (performance.now() - askedAt < ASK_EVERY_MS) return;
      try {
        const { version } = await deps.api.version();
        askedAt = performance.now();
        known = parse(version);
        deps.logger.debug({ version }, "the API's version");
      } catch (error) {
        deps.logger.debug({ err: error }, "could not ask for the API's version");
      }
    },
  };
}

function parse(version: string): { major: number; minor: number } | undefined {
  const match = /^v?(\d+)\.(\d+)/.exec(version);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}
