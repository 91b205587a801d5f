import { join } from 'node:path';
import { freePort, waitFor } from '@cds/testing';
import { webhookSecret } from '@cds/webhook-signature';
import { bundleOf } from '../../faults/stage/bundles';
import { startManaged } from '../../faults/stage/managed-process';
import { serviceEnvironment } from '../../sandbox/story/service-config';
import { type Usage, usageOf } from '../measure/usage';
import type { LoadedHook } from '../processes/deliveries';

const WEBHOOK_KEY = 'the key of the bench';

/** One process of `hooks`, as it is deployed. */
export interface HooksService {
  url: string;
  pid: number;
  usage(): Usage;
  stop(): Promise<void>;
}

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
  const url = `http://127.0.0.1:${port}`;
  const running = await startManaged({
    command: process.execPath,
    // For a look inside: BENCH_NODE_ARGS='--cpu-prof --cpu-prof-dir=/tmp' leaves a profile of each service.
    args: [...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? []), bundleOf('hooks')],
    env: hooksEnvironment(options, port),
    cwd: folder,
    log: join(folder, `${name}.log`),
  });
  const isUp = async (): Promise<boolean> => (await fetch(`${url}/mon/version`)).ok;
  await waitFor(async () => !running.isRunning() || (await isUp()), {
    what: `${name} to listen`,
    timeoutMs: 30_000,
  });
  if (!running.isRunning()) throw new Error(`${name} ended by itself: see its log in ${folder}`);
  return {
    url,
    pid: running.pid,
    usage: () => usageOf(running.pid),
    async stop() {
      running.signal('SIGTERM');
      await running.exited;
    },
  };
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
