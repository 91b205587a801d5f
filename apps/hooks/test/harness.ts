import { randomUUID } from 'node:crypto';
import { createAnswerCheck, type AnswerCheck, type DescribedApi } from '@cds/testing/openapi';
import { freePort, silentLogger, startTestRedis, type TestRedis, waitFor } from '@cds/testing';
import type { HookConfig, NodeHook, Task, TaskExecution } from '@cds/wire';
import type { HooksConfig } from '@cds/config';
import type { Logger } from '@cds/service';
import { signatureOf, webhookSecret } from '@cds/webhook-signature';
import { createHooks, type HooksService } from '../src/hooks-service';
import type { Timing } from '../src/start-work';
import { type CdsApiStandIn, startCdsApi, TOKEN, VCS } from './cds-api-stand-in';

/**
 * Short times, so that what takes minutes takes moments; locks live as long as ever, since a
 * machine may be busy.
 */
export const QUICK: Timing = {
  lockMs: 5_000,
  beatMs: 200,
  sweepMs: 300,
  heartbeatMs: 500,
  firstRetryMs: 50,
  sharedMs: 0,
  secondLookMs: 300,
  askAgainMs: 300,
};

export function hooksConfig(
  redis: TestRedis,
  apiUrl: string,
  port: number,
  change: Partial<HooksConfig> = {},
): HooksConfig {
  return {
    name: `cds-hooks-${port}`,
    url: `http://127.0.0.1:${port}`,
    urlPublic: 'http://localhost:8083',
    http: { addr: '127.0.0.1', port, trustedProxies: [] },
    api: {
      url: apiUrl,
      insecure: false,
      token: TOKEN,
      requestTimeoutSeconds: 60,
      maxHeartbeatFailures: 10,
    },
    redis: redis.config,
    log: { level: 'info' },
    disable: false,
    executionHistory: 10,
    retryDelaySeconds: 1,
    retryError: 3,
    branchDeletion: { delaySeconds: 86_400 },
    reconcile: { intervalSeconds: 0 },
    signature: 'auto',
    webhookKeys: [TOKEN],
    deadLetters: 1_000,
    outgoing: {
      allow: ['127.0.0.1'],
      deny: [],
      timeoutSeconds: 5,
      maxRedirects: 5,
      maxRequestBytes: 1_048_576,
      maxLogBytes: 65_536,
    },
    ...change,
  };
}

/** A running `hooks` service and how its callers reach it. */
export interface RunningHooks {
  url: string;
  service: HooksService;
  /** With the authentication of the API. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** As the world outside calls. */
  webhook(uuid: string, request?: WebhookRequest): Promise<Response>;
  task(uuid: string): Promise<Task>;
  tasks(): Promise<Task[]>;
  executions(uuid: string): Promise<TaskExecution[]>;
  status(): Promise<Record<string, { status: string; value: string }>>;
  /** Waits until the hooks of the API were read, so that what is not there is known not to be. */
  synchronized(): Promise<void>;
}

export interface WebhookRequest {
  method?: string;
  query?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface World {
  redis: TestRedis;
  api: CdsApiStandIn;
  start(
    change?: Partial<HooksConfig>,
    options?: { logger?: Logger; timing?: Timing },
  ): Promise<RunningHooks>;
  /** Everything down; to be called once. */
  end(): Promise<void>;
  /** Services down, Redis and API as new. */
  reset(): Promise<void>;
}

/**
 * A real Redis, a strict stand-in of the API, and as many `hooks` as a test starts.
 *
 * @param shared the Redis of another world, which ends it, and the part of it that is this one's
 */
export async function startWorld(shared?: {
  redis: TestRedis;
  keyPrefix?: string;
  database?: number;
}): Promise<World> {
  const redis = shared?.redis ?? (await startTestRedis({ appendonly: true }));
  const { keyPrefix = '', database = 0 } = shared ?? {};
  const part = { redis: { ...redis.config, keyPrefix, database } };
  const api = await startCdsApi();
  let services: HooksService[] = [];

  async function stopServices(): Promise<void> {
    const stopping = services;
    services = [];
    await Promise.all(stopping.map((service) => service.stop(3_000)));
  }

  return {
    redis,
    api,
    async start(change = {}, options = {}) {
      const port = await freePort();
      const { logger = silentLogger(), timing = {} } = options;
      const config = hooksConfig(redis, api.url, port, { ...part, ...change });
      const service = await createHooks(config, logger, { ...QUICK, ...timing });
      services.push(service);
      const url = `http://127.0.0.1:${service.port}`;
      return running(url, service, api, config.name);
    },
    async end() {
      await stopServices();
      await api.stop();
      if (!shared) await redis.stop();
    },
    async reset() {
      await stopServices();
      await redis.flush();
      await api.start();
      api.behave = () => 'ok';
      api.slashKnown = true;
      api.hooks = [];
      api.vcs = VCS;
      api.vcsLooks = 0;
      api.integrations.clear();
      api.calls.length = 0;
      api.registrations.length = 0;
      api.callbacks.length = 0;
      api.recorded.clear();
      api.repositories.clear();
      api.hookRuns.clear();
      api.violations.length = 0;
      api.forgetRuns();
    },
  };
}

let answerCheck: Promise<AnswerCheck> | undefined;

/** Holds all that any spec gets to see against the document that the service serves. */
export function documentOf(url: string): Promise<AnswerCheck> {
  answerCheck ??= fetch(`${url}/openapi.json`).then(async (response) =>
    createAnswerCheck((await response.json()) as DescribedApi),
  );
  return answerCheck;
}

/** @returns its body. @throws Error when the document tells of another answer */
async function checked(method: string, answered: Response): Promise<string> {
  const { status, headers, url } = answered;
  const text = await answered.clone().text();
  const { origin } = new URL(url);
  const path = url.slice(origin.length);
  const contentType = headers.get('content-type');
  (await documentOf(origin)).answer({ method, path, status, contentType, text });
  return text;
}

function running(
  url: string,
  service: HooksService,
  api: CdsApiStandIn,
  name: string,
): RunningHooks {
  let knownTo = '';
  /** Whether the API gives the hooks that it has to whoever asks now. */
  function listsHooks(): boolean {
    const call = { method: 'GET', url: '/workflow/hook', body: null, at: Date.now() };
    return api.behave(call) === 'ok';
  }

  /** The hash, once the service has it, too. */
  async function currentHash(): Promise<string> {
    await waitFor(() => api.registrations.some((registration) => registration.name === name), {
      what: 'the registration',
    });
    const hash = api.hash();
    const headers = { X_AUTH_HEADER: Buffer.from(hash).toString('base64') };
    if (hash !== knownTo) {
      await waitFor(async () => (await fetch(`${url}/task`, { headers })).ok);
      if (listsHooks()) await hooks.synchronized();
    }
    knownTo = hash;
    return hash;
  }

  const hooks: RunningHooks = {
    url,
    service,
    async call(method, path, body) {
      const response = await fetch(url + path, {
        method,
        headers: { X_AUTH_HEADER: Buffer.from(await currentHash()).toString('base64') },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await checked(method, response);
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    async webhook(uuid, request = {}) {
      const { method = 'POST', query = '', headers = {}, body } = request;
      const response = await fetch(`${url}/webhook/${uuid}${query === '' ? '' : `?${query}`}`, {
        method,
        headers,
        body: body as string | undefined,
      });
      await checked(method, response);
      return response;
    },
    async task(uuid) {
      return (await hooks.call('GET', `/task/${uuid}`)).body as Task;
    },
    async tasks() {
      return (await hooks.call('GET', '/task')).body as Task[];
    },
    async executions(uuid) {
      const { body } = await hooks.call('GET', `/task/${uuid}/execution`);
      return (body as Task).executions ?? [];
    },
    async synchronized() {
      await waitFor(async () => !(await hooks.status()).State?.value.includes('not read yet'), {
        what: 'the hooks of the API to be read',
      });
    },
    async status() {
      const response = await fetch(`${url}/mon/status`);
      await checked('GET', response);
      const { lines } = (await response.json()) as {
        lines: { component: string; status: string; value: string }[];
      };
      return Object.fromEntries(
        lines.map(({ component, status, value }) => [component, { status, value }]),
      );
    },
  };
  return hooks;
}

/** The request as Bitbucket signs it for this hook. @param key the `webhookKey` that its secret was made of */
export function signed(hook: NodeHook, request: WebhookRequest, key = TOKEN): WebhookRequest {
  const signature = signatureOf(webhookSecret(key, hook.uuid), Buffer.from(request.body ?? ''));
  return { ...request, headers: { ...request.headers, 'X-Hub-Signature': signature } };
}

function value(text: string): HookConfig[string] {
  return { value: text, configurable: false, type: '', multiple_choice_list: null };
}

/** A repository webhook as the API posts it. */
export function repositoryHook(change: Partial<Record<string, string>> = {}): NodeHook {
  return nodeHook('RepositoryWebHook', {
    method: 'POST',
    project: 'PROJ',
    repoFullName: 'jdoe/repo-0',
    vcsServer: 'bitbucketcloud',
    workflow: 'wf1',
    workflow_id: '1',
    ...change,
  });
}

export function plainHook(change: Partial<Record<string, string>> = {}): NodeHook {
  return nodeHook('WebHook', {
    method: 'POST',
    project: 'PROJ',
    workflow: 'wf2',
    workflow_id: '2',
    ...change,
  });
}

export function nodeHook(model: string, config: Partial<Record<string, string>>): NodeHook {
  return {
    id: 0,
    uuid: randomUUID(),
    ref: '1795343649',
    node_id: 0,
    hook_model_id: 2,
    hook_model_name: model,
    config: Object.fromEntries(
      Object.entries(config).map(([key, text]) => [key, value(text ?? '')]),
    ),
  };
}

/** Adds hooks as the API does. */
export async function post(hooks: RunningHooks, ...added: NodeHook[]): Promise<void> {
  const body = Object.fromEntries(added.map((hook) => [hook.uuid, hook]));
  const { status } = await hooks.call('POST', '/task/bulk', body);
  if (status !== 200) throw new Error(`POST /task/bulk answered ${status}`);
}

/** CDS's error body. */
export async function errorOf(response: Response): Promise<{ id: number; message: string }> {
  return (await response.json()) as { id: number; message: string };
}
