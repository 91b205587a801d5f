import { startBitbucket, type BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import {
  startCdsApi,
  CALLBACK_PATH,
  type CdsApiStandIn,
  type CdsVersion,
} from '@cds/stand-ins/cds-api';
import { startPage, type Page } from '../page/start-page';

export interface StandIns {
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
  page: Page;
  close(): Promise<void>;
}

export interface StandInOptions {
  cds: CdsVersion;
  host: string;
  ports: { api: number; bitbucket: number; page: number };
  /** How others reach them, where that is not this machine. */
  publicUrls?: { api: string; bitbucket: string };
}

/**
 * Starts both stand-ins, the consumer's callback leading to the API, and the page that shows them.
 */
export async function startStandIns(options: StandInOptions): Promise<StandIns> {
  const { cds, host, ports, publicUrls } = options;
  const localhost = (port: number): string => `http://localhost:${port}`;
  const api = await startCdsApi({
    cds,
    // Where the API has such a rule: 0.50 and later.
    keepsRunsOf: 'existing branches',
    host,
    port: ports.api,
    buildDurationMs: 300,
    uiUrl: localhost(ports.page),
    // A browser does not know the names that containers have.
    ...(publicUrls
      ? { publicUrl: publicUrls.api, callbackUrl: `${localhost(ports.api)}${CALLBACK_PATH}` }
      : {}),
  });
  const bitbucket = await startBitbucket({
    host,
    port: ports.bitbucket,
    consumer: { callbackUrl: api.callbackUrl },
    ...(publicUrls ? { publicUrl: publicUrls.bitbucket } : {}),
  });
  const page = await startPage({
    bitbucket,
    api,
    host,
    port: ports.page,
    ...(publicUrls ? { bitbucketForBrowsers: localhost(ports.bitbucket) } : {}),
  });
  return {
    bitbucket,
    api,
    page,
    async close() {
      await page.close();
      await Promise.all([bitbucket.close(), api.close()]);
    },
  };
}
