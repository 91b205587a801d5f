import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';

const ASK_EVERY_MS = 10 * 60_000;

/** The version of CDS, for the few answers that changed between versions. */
export interface ApiVersion {
  /** False while the version is not known: it then counts as CDS 0.41. */
  atLeast(major: number, minor: number): boolean;
}

/** Reads `/mon/version` of the API; a version without numbers (`snapshot`) counts as unknown. */
export function createApiVersion(deps: { api: Pick<CdsApiClient, 'version'>; logger: Logger }) {
  let known: { major: number; minor: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    atLeast(major: number, minor: number): boolean {
      if (!known) return false;
      return known.major > major || (known.major === major && known.minor >= minor);
    },
    /** Asks the API, at most once in ten minutes. Never rejects. */
    async refresh(): Promise<void> {
      if (performance.now() - askedAt < ASK_EVERY_MS) return;
      try {
        const { version } = await deps.api.version();
        askedAt = performance.now();
        known = parse(version);
        deps.logger.debug({ version }, 'version of the CDS API');
      } catch (error) {
        deps.logger.debug({ err: error }, 'version of the CDS API not read');
      }
    },
  };
}

function parse(version: string): { major: number; minor: number } | undefined {
  const match = /^v?(\d+)\.(\d+)/.exec(version);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}
