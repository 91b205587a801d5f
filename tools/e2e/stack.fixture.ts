import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  startProcess,
  startTestRedis,
  waitFor,
  type RunningProcess,
  type TestRedis,
} from '@cds/testing';
import {
  startBitbucket,
  type BitbucketOptions,
  type BitbucketStandIn,
} from '@cds/stand-ins/bitbucket';
import { startCdsApi, type CdsApiOptions, type CdsApiStandIn } from '@cds/stand-ins/cds-api';
import { connectProject, type ProjectToken } from '../sandbox/story/connect-project';
import { findRoot } from '../sandbox/story/find-root';
import { serviceEnvironment, type ServiceSettings } from '../sandbox/story/service-config';

export type ServiceName = 'vcs' | 'hooks';
export const SERVICES: readonly ServiceName[] = ['vcs', 'hooks'];
export const root = findRoot(__dirname);
export const PROJECT = 'SHOP';
export const REPO = 'acme/web-shop';

/** The built app. @throws Error saying how to build it */
export function bundle(name: ServiceName | 'engine' | 'sandbox'): string {
  const file = join(root, 'dist', name === 'sandbox' ? 'tools' : 'apps', name, 'main.js');
  if (!existsSync(file))
    throw new Error(`${file} is missing: end-to-end tests need \`npm run build\` first.`);
  return file;
}

export interface StackOptions {
  bitbucket?: BitbucketOptions;
  /** Of 0.57 when not said. */
  api?: CdsApiOptions;
  /** What a VCS project is given; an API token when not given. */
  projectToken?: ProjectToken;
  /** From the deletion of a branch to the removal of its runs. */
  branchDeletionDelaySeconds?: number;
  /** None when not given. */
  redisPassword?: string;
  /** What starts a service in place of its bundle: for one in an image. */
  commandOf?: (name: ServiceName, env: Record<string, string>) => [string, ...string[]];
  /** The Redis of somebody else, who ends it, and what the keys of this stack begin with. */
  shared?: { redis: TestRedis; keyPrefix: string };
}

/** A replica of a service. */
export interface Replica {
  name: ServiceName;
  url: string;
  process: RunningProcess;
  /** SIGTERM unless told otherwise; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Redis, both stand-ins, and whatever services a test starts: real processes, on free ports. */
export interface Stack {
  redis: TestRedis;
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
  settings: ServiceSettings;
  /** A file in a folder of the stack's own. */
  writeFile(name: string, text: string): string;
  /** Starts a bundle with the environment alone; `replica` sets another name and port. */
  start(
    name: ServiceName,
    options?: { env?: Record<string, string>; replica?: number },
  ): Promise<Replica>;
  /** Starts any program; it is ended with the stack. */
  run(args: string[], env?: Record<string, string>): Promise<RunningProcess>;
  /** Waits until so many services are registered. */
  registered(count: number): Promise<void>;
  /** Gives the project its VCS server, as the CDS at hand does it. */
  connect(): Promise<string>;
  /** Starts both services, waits for them, connects the project. */
  startLinked(env?: Record<string, string>): Promise<{ vcs: Replica; hooks: Replica }>;
  stop(): Promise<void>;
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { commandOf = (name) => [process.execPath, bundle(name)] } = options;
  if (!options.commandOf) SERVICES.forEach(bundle);
  const folder = mkdtempSync(join(tmpdir(), 'cds-e2e-'));
  const { redisPassword, shared } = options;
  const redis =
    shared?.redis ??
    (await startTestRedis({
      appendonly: true,
      args: redisPassword === undefined ? [] : ['--requirepass', redisPassword],
    }));
  const api = await startCdsApi({ cds: '0.57', buildDurationMs: 50, ...options.api });
  const bitbucket = await startBitbucket({
    webhookRetryPauseMs: 100,
    webhookTimeoutMs: 60_000,
    ...options.bitbucket,
    consumer: { callbackUrl: api.callbackUrl, ...options.bitbucket?.consumer },
  });
  const settings: ServiceSettings = {
    vcsPort: await freePort(),
    hooksPort: await freePort(),
    redisPort: redis.port,
    apiUrl: api.url,
    token: api.sharedInfraToken,
    tokenOf: api.tokenOf,
    connectsBy: api.connectsBy,
    // Both know it, whatever their tokens are.
    ...(api.cds === '0.41' ? {} : { webhookKey: randomBytes(32).toString('hex') }),
    bitbucket: {
      apiUrl: bitbucket.apiUrl,
      oauthUrl: bitbucket.oauthUrl,
      clientId: bitbucket.consumer.clientId,
      clientSecret: bitbucket.consumer.clientSecret,
    },
    branchDeletionDelaySeconds: options.branchDeletionDelaySeconds ?? 2,
    names: { vcs: 'e2e-vcs', hooks: 'e2e-hooks' },
  };
  const processes: RunningProcess[] = [];
  async function run(line: [string, ...string[]], env: Record<string, string>) {
    const [command, ...args] = line;
    const running = await startProcess({
      command,
      args,
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
      cwd: folder,
    });
    processes.push(running);
    return running;
  }

  const stack: Stack = {
    redis,
    bitbucket,
    api,
    settings,
    writeFile(name, text) {
      const file = join(folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    },
    run: (args, env = {}) => run([process.execPath, ...args], env),
    async start(name, { env = {}, replica } = {}) {
      const own = { ...settings };
      if (replica !== undefined) {
        own[name === 'vcs' ? 'vcsPort' : 'hooksPort'] = await freePort();
        own.names = { vcs: `e2e-vcs-${replica}`, hooks: `e2e-hooks-${replica}` };
      }
      const environment = {
        ...serviceEnvironment(own, [name]),
        ...(redisPassword === undefined
          ? {}
          : { [`CDS_${name.toUpperCase()}_CACHE_REDIS_PASSWORD`]: redisPassword }),
        ...(shared && { [`CDS_${name.toUpperCase()}_CACHE_REDIS_KEYPREFIX`]: shared.keyPrefix }),
        ...env,
      };
      const running = await run(commandOf(name, environment), environment);
      return {
        name,
        url: `http://127.0.0.1:${name === 'vcs' ? own.vcsPort : own.hooksPort}`,
        process: running,
        async stop(signal = 'SIGTERM') {
          running.kill(signal);
          return (await running.exited).code;
        },
      };
    },
    async registered(count) {
      try {
        await waitFor(() => api.services().length >= count, {
          what: `${count} services to register`,
        });
      } catch (error) {
        throw new Error(`${String(error)}\n${printed(processes)}`, { cause: error });
      }
    },
    connect: () => connectProject({ api, bitbucket }, PROJECT, options.projectToken),
    async startLinked(env) {
      const [vcs, hooks] = await Promise.all([
        stack.start('vcs', env ? { env } : {}),
        stack.start('hooks', env ? { env } : {}),
      ]);
      await stack.registered(2);
      await stack.connect();
      return { vcs, hooks };
    },
    async stop() {
      for (const running of processes) running.kill('SIGKILL');
      await Promise.all(processes.map(({ exited }) => exited));
      await Promise.all([bitbucket.close(), api.close()]);
      if (!shared) await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return stack;
}

/** What the processes have printed, for the message of a test that failed. */
function printed(processes: RunningProcess[]): string {
  return processes.map((one) => `${one.stdout()}${one.stderr()}`).join('\n');
}

/** The runs of a workflow, once there are so many. */
export async function runsOf(stack: Stack, workflow: string, count: number) {
  await waitFor(() => stack.api.runs(PROJECT, workflow).length >= count, {
    what: `${count} runs of ${workflow}, there are ${stack.api.runs(PROJECT, workflow).length}`,
  });
  return stack.api.runs(PROJECT, workflow);
}

/** The branches whose cleanup `hooks` lists, sorted. */
export async function pendingCleanups(stack: Stack): Promise<string[]> {
  const tasks = await stack.api.tasks();
  return tasks
    .filter(({ type }) => type === 'BranchDeletion')
    .map(({ config }) => config?.['branch']?.value ?? '')
    .toSorted();
}

/** The workflow with a webhook on a repository, {@link REPO} when not given. */
export function createWorkflow(stack: Stack, name: string, repo = REPO) {
  return stack.api.workflows.createRepositoryWorkflow({ project: PROJECT, name, repo });
}

/** Calls a route of `vcs` with the project's tokens. */
export function callVcs(
  stack: Stack,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  return stack.api.callVcs(PROJECT, stack.api.vcsServer, method, path, body);
}

/** Stops a push's deliveries from being waited for forever: all of them, when they are over. */
export async function outcomes(pushed: {
  delivered: Promise<{ attempts: { outcome: unknown }[] }[]>;
}) {
  return (await pushed.delivered).map(({ attempts }) => attempts.at(-1)?.outcome);
}
