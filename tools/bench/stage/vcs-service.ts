import { freePort } from '@cds/testing';
import { serviceEnvironment } from '../../sandbox/story/service-config';
import { HASH } from '../processes/service-hash';
import { type StartedService, startService } from './start-service';

/** One process of `vcs`. */
export type VcsService = StartedService;

/** Starts the built service. @returns when it has registered and serves */
export async function startVcsService(options: {
  folder: string;
  redisPort: number;
  apiUrl: string;
  bitbucket: { apiUrl: string; oauthUrl: string };
  name?: string;
}): Promise<VcsService> {
  const { folder, name = 'vcs' } = options;
  const port = await freePort();
  const settings = {
    vcsPort: port,
    hooksPort: 0,
    redisPort: options.redisPort,
    apiUrl: options.apiUrl,
    token: 'token-of-the-bench',
    bitbucket: {
      apiUrl: options.bitbucket.apiUrl,
      oauthUrl: options.bitbucket.oauthUrl,
      clientId: 'bench',
      clientSecret: 'secret-of-the-bench',
    },
    branchDeletionDelaySeconds: 0,
    names: { vcs: name, hooks: 'hooks' },
  };
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    ...serviceEnvironment(settings, ['vcs']),
    CDS_VCS_WEBHOOKKEY: 'the key of the bench',
    // The bench spends more than an hour's calls; what is measured here is time.
    CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_CALLSPERHOUR: '0',
    CDS_LOG_LEVEL: 'info',
  };
  const isUp = async (url: string): Promise<boolean> =>
    (await fetch(`${url}/vcs`, { headers: guardHeaders() })).ok;
  return startService({ app: 'vcs', name, port, folder, env, isUp });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What the API shows with every call of a service. */
function guardHeaders(): Record<string, string> {
  return { 'Content-Type': 'application/json', X_AUTH_HEADER: base64(HASH) };
}

/** What it shows on behalf of a linked project. */
export function projectHeaders(accessToken: string): Record<string, string> {
  return {
    ...guardHeaders(),
    'X-CDS-ACCESS-TOKEN': base64(accessToken),
    'X-CDS-ACCESS-TOKEN-SECRET': base64(`refresh-${accessToken}`),
    'X-CDS-ACCESS-TOKEN-CREATED': base64('1800000000'),
  };
}
