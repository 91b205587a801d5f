import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '@cds/service';

const ASK_EVERY_MS = 10 * 60_000;

/** The URL of the CDS UI, for links on build statuses; empty while it is not known. */
export interface UiUrl {
  get(): string;
  /** Asks the API where none is configured, at most once in ten minutes. Never rejects. */
  refresh(): Promise<void>;
}

/** @param deps.configured that of `[vcs.UI]`; an API from 0.44 on is asked where it is undefined */
export function createUiUrl(deps: {
  configured: string | undefined;
  api: Pick<CdsApiClient, 'uiUrl'>;
  logger: Logger;
}): UiUrl {
  const { configured, api, logger } = deps;
  let ofApi = '';
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    get: () => configured ?? ofApi,
    async refresh() {
      if (configured !== undefined || performance.now() - askedAt < ASK_EVERY_MS) return;
      try {
        ofApi = (await api.uiUrl()) ?? '';
        askedAt = performance.now();
      } catch (error) {
        logger.debug({ err: error }, 'URL of the CDS UI not read');
      }
    },
  };
}
