import type { CdsApiClient } from '@cds/api-client';
import type { Logger } from '../logs/create-logger';
import { askSeldom } from './ask-seldom';

/**
 * The URL of the CDS UI, for links.
 *
 * @param deps.configured an API from 0.44 on is asked where it is undefined
 */
export function createUiUrl(deps: {
  configured: string | undefined;
  api: Pick<CdsApiClient, 'uiUrl'>;
  logger: Logger;
}) {
  const { configured, api, logger } = deps;
  const asked = askSeldom(
    () => api.uiUrl(),
    (error) => logger.debug({ err: error }, 'URL of the CDS UI not read'),
  );
  return {
    /** Empty while it is not known. */
    get: () => configured ?? asked.last() ?? '',
    /** Asks the API where none is configured, at most once in ten minutes. Never rejects. */
    refresh: () => (configured === undefined ? asked.refresh() : Promise.resolve()),
  };
}
