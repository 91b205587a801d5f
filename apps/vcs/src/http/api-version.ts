import type { CdsApiClient } from '@cds/api-client';
import { isCdsAtLeast } from '@cds/config';
import { askSeldom, type Logger } from '@cds/service';

export type ApiVersion = Pick<ReturnType<typeof createApiVersion>, 'atLeast'>;

/**
 * The version of CDS, for the few answers that changed between versions. Reads `/mon/version` of
 * the API; a version without numbers (`snapshot`) counts as unknown.
 */
export function createApiVersion(deps: { api: Pick<CdsApiClient, 'version'>; logger: Logger }) {
  const asked = askSeldom(
    async () => {
      const { version } = await deps.api.version();
      deps.logger.debug({ version }, 'version of the CDS API');
      return version;
    },
    (error) => deps.logger.debug({ err: error }, 'version of the CDS API not read'),
  );
  return {
    /** False while the version is not known: it then counts as CDS 0.41. */
    atLeast: (major: number, minor: number): boolean =>
      isCdsAtLeast(asked.last() ?? '', `${major}.${minor}`) ?? false,
    refresh: asked.refresh,
  };
}
