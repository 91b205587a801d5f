import { startBitbucket, type BitbucketSandbox } from '../bitbucket';
import { startCdsApi, type CdsApiSandbox } from '../cds-api';

export interface StandIns {
  bitbucket: BitbucketSandbox;
  api: CdsApiSandbox;
  close(): Promise<void>;
}

export interface StandInOptions {
  host: string;
  ports: { api: number; bitbucket: number };
  /** How others reach them, where that is not this machine. */
  publicUrls?: { api: string; bitbucket: string };
}

/** Starts both stand-ins, the consumer's callback leading to the API. */
export async function startStandIns(options: StandInOptions): Promise<StandIns> {
  const { host, ports, publicUrls } = options;
  const api = await startCdsApi({
    host,
    port: ports.api,
    buildDurationMs: 300,
    ...(publicUrls ? { publicUrl: publicUrls.api } : {}),
  });
  const bitbucket = await startBitbucket({
    host,
    port: ports.bitbucket,
    consumer: { callbackUrl: api.callbackUrl },
    ...(publicUrls ? { publicUrl: publicUrls.bitbucket } : {}),
  });
  return {
    bitbucket,
    api,
    async close() {
      await Promise.all([bitbucket.close(), api.close()]);
    },
  };
}
