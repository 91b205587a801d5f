import { freePort } from '@cds/testing';
import { webhookSecret } from '@cds/webhook-signature';
import { serviceEnvironment } from '../../sandbox/story/service-config';
import type { LoadedHook } from '../processes/deliveries';
import { type StartedService, startService } from './start-service';

const WEBHOOK_KEY = 'the key of the bench';

/** One process of `hooks`. */
export type HooksService = StartedService;

interface HooksOptions {
  folder: string;
  redisPort: number;
  apiUrl: string;
  name?: string;
  env?: Record<string, string>;
}

/** What the service is told in its environment. */
export function hooksEnvironment(options: HooksOptions, port: number): NodeJS.ProcessEnv {
  const settings = {
    vcsPort: 0,
    hooksPort: port,
    redisPort: options.redisPort,
    apiUrl: options.apiUrl,
    token: 'token-of-the-bench',
    bitbucket: { apiUrl: '', oauthUrl: '', clientId: '', clientSecret: '' },
    branchDeletionDelaySeconds: 86_400,
    names: { vcs: 'vcs', hooks: options.name ?? 'hooks' },
  };
  return {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    ...serviceEnvironment(settings, ['hooks']),
    CDS_HOOKS_WEBHOOKKEY: WEBHOOK_KEY,
    CDS_LOG_LEVEL: 'info',
    ...options.env,
  };
}

/** Starts the built service. @returns when it answers */
export async function startHooksService(options: HooksOptions): Promise<HooksService> {
  const { folder, name = 'hooks' } = options;
  const port = await freePort();
  const env = hooksEnvironment(options, port);
  const isUp = async (url: string): Promise<boolean> => (await fetch(`${url}/mon/version`)).ok;
  return startService({ app: 'hooks', name, port, folder, env, isUp });
}

/** So many repository webhooks, each of a workflow of its own. */
export function makeHooks(count: number): { listed: object[]; loaded: LoadedHook[] } {
  const uuids = Array.from({ length: count }, (_, index) => `bench-hook-${index}`);
  const text = (value: string): object => ({
    value,
    configurable: false,
    type: 'string',
    multiple_choice_list: null,
  });
  return {
    listed: uuids.map((uuid, index) => ({
      id: index + 1,
      uuid,
      ref: '',
      node_id: index + 1,
      hook_model_id: 2,
      hook_model_name: 'RepositoryWebHook',
      config: {
        project: text('BENCH'),
        workflow: text(`workflow-${index}`),
        repoFullName: text('acme/web-shop'),
        vcsServer: text('bitbucketcloud'),
        method: text('POST'),
        hookIcon: text('Bitbucket'),
        eventFilter: text('repo:push'),
        webHookID: text('{w}'),
        webHookURL: text(''),
      },
    })),
    loaded: uuids.map((uuid) => ({ uuid, secret: webhookSecret(WEBHOOK_KEY, uuid) })),
  };
}
