import { once } from 'node:events';
import type { BitbucketServerConfig } from '@cds/config';
import { createAnswerCheck, type AnswerCheck } from '@cds/testing/openapi';
import {
  captureLogger,
  disconnect,
  silentLogger,
  startTestRedis,
  waitFor,
  type TestRedis,
} from '@cds/testing';
import { connectRedis, vcsKeys } from '@cds/redis';
import { createMetrics, createReadiness, type Metrics, type Readiness } from '@cds/service';
import type { Redis } from 'ioredis';
import request, { type Test } from 'supertest';
import { getApp, type VcsApp, type VcsAppDeps } from '../src/get-app';
import { nameOfProjects } from '../src/servers/project-servers';
import { createWebhookKey } from '../src/webhooks/webhook-key';
import { startBitbucketStandIn, type BitbucketStandIn } from './bitbucket-stand-in.fixture';
import { CLIENT_ID, CLIENT_SECRET } from './oauth-stand-in.fixture';
import { newRepository, type StandInRepository } from './stand-in-data.fixture';

const MAX_INSTANCES = 3;

export const WEBHOOK_KEY = 'the-webhook-key-that-nobody-may-read';
export const SERVER = 'bitbucketcloud';
/** What `acme/widgets` is called in Redis. */
export const WIDGETS = `${SERVER}:acme/widgets`;

export interface Pair {
  accessToken: string;
  refreshToken: string;
}

/** One instance of the service, called as the CDS API calls it. */
export interface VcsInstance {
  app: VcsApp;
  redis: Redis;
  /** With the tokens of `pair`, or without any. */
  call(method: 'get' | 'post' | 'put' | 'delete', path: string, pair?: Pair): Test;
}

export interface InstanceOptions {
  server?: Partial<BitbucketServerConfig>;
  /** True as with CDS 0.54 and later, where no server is configured. */
  withoutServers?: boolean;
  status?: Partial<BitbucketServerConfig['status']> | undefined;
  deadlineMs?: number | undefined;
  uiUrl?: string;
  webhookKey?: string;
  hooksUrl?: string | undefined;
  metrics?: Metrics | undefined;
  readiness?: Readiness;
  /** Says how builds ended; knows of none when left out. */
  api?: VcsAppDeps['api'];
  /** Which CDS asks: `[0, 42]`; unknown when left out. */
  apiVersion?: [number, number] | undefined;
}

/** The app over a real Redis and a stand-in of Bitbucket, with the repository `acme/widgets`. */
export interface TestContext {
  redisServer: TestRedis;
  bitbucket: BitbucketStandIn;
  widgets: StandInRepository;
  /** All lines that any instance logged. */
  logged: Record<string, unknown>[];
  /** A pair as the API has it after linking. */
  pair: Pair;
  /** Against which every answer is held. */
  document: AnswerCheck;
  instance(options?: InstanceOptions): VcsInstance;
  /** Starts Redis again after `redisServer.kill()` and waits until every instance reaches it. */
  reviveRedis(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The opening of a spec: one redis-server for the file or `describe` that calls it, and a context
 * for each test, whose members are there from the first `beforeEach` on.
 *
 * @param keepBetweenTests one context for all tests, there from the first `beforeAll` on
 */
export function useTestContext({
  keepBetweenTests = false,
  lookedAtWebhooks = true,
} = {}): TestContext {
  const context = {} as TestContext;
  // Called in this order: Redis ends last.
  (keepBetweenTests ? afterAll : afterEach)(() => context.close());
  const redisServer = useTestRedis();
  (keepBetweenTests ? beforeAll : beforeEach)(async () => {
    Object.assign(context, await startTestContext(redisServer(), { lookedAtWebhooks }));
  });
  return context;
}

/** One redis-server for all tests of a file. A test that ends it starts it again. */
export function useTestRedis(): () => TestRedis {
  let server: TestRedis | undefined;
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server?.stop());
  return () => {
    if (!server) throw new Error('redis-server is started before the first test');
    return server;
  };
}

const NO_RUNS: VcsAppDeps['api'] = { nodeRun: async () => undefined };

/** The document is the same whatever is configured. */
let answerCheck: Promise<AnswerCheck> | undefined;

async function readDocument(redis: Redis): Promise<AnswerCheck> {
  const { app, close } = getApp({
    config: { webhookKey: WEBHOOK_KEY, servers: [] },
    redis,
    logger: silentLogger(),
    uiUrl: () => '',
    callers: { isAllowed: () => false },
    monitoring: async () => ({ now: '', lines: [] }),
    metrics: createMetrics({ service: 'vcs' }),
    readiness: createReadiness({ refusal: async () => undefined }),
    apiVersion: { atLeast: () => false },
    api: NO_RUNS,
  });
  const { body } = await request(app).get('/openapi.json');
  await close(0);
  return createAnswerCheck(body);
}

/**
 * @param redisServer emptied first. Unless told otherwise, the webhooks of `acme/widgets` were
 *   looked at today, so that no call in the background disturbs a spec that counts.
 */
async function startTestContext(
  redisServer: TestRedis,
  { lookedAtWebhooks = true } = {},
): Promise<TestContext> {
  await redisServer.flush();
  const bitbucket = await startBitbucketStandIn();
  const widgets = newRepository('acme', 'widgets');
  bitbucket.repositories.push(widgets);
  const { logger, lines } = captureLogger();
  const opened: VcsInstance[] = [];
  // Connected before they are handed out: while it connects, a connection counts as a Redis that is
  // away.
  const connections = await Promise.all(
    Array.from({ length: MAX_INSTANCES }, async () => {
      const redis = connectRedis({ redis: redisServer.config, logger, name: 'vcs' }, 'client');
      if (redis.status !== 'ready') await once(redis, 'ready');
      return redis;
    }),
  );

  if (lookedAtWebhooks)
    for (const id of [WIDGETS, `${nameOfProjects(bitbucket.apiUrl)}:acme/widgets`])
      await connections[0]?.set(
        vcsKeys.webhooksChecked(createWebhookKey(WEBHOOK_KEY).fingerprint, id),
        '1',
      );

  const [connection] = connections;
  if (!connection) throw new Error('there is no connection');
  const document = await (answerCheck ??= readDocument(connection));

  function instance(options: InstanceOptions = {}): VcsInstance {
    const redis = connections[opened.length];
    if (!redis) throw new Error(`a spec has at most ${MAX_INSTANCES} instances`);
    const [major = 0, minor = 0] = options.apiVersion ?? [];
    const app = getApp({
      config: {
        webhookKey: options.webhookKey ?? WEBHOOK_KEY,
        servers: options.withoutServers ? [] : [serverConfig(bitbucket, options)],
      },
      uiUrl: () => options.uiUrl ?? 'https://cds.acme.example',
      hooksUrl: options.hooksUrl,
      metrics: options.metrics,
      readiness: options.readiness,
      redis,
      logger,
      callers: { isAllowed: () => true },
      monitoring: async () => ({ now: new Date().toISOString(), lines: [] }),
      apiVersion: { atLeast: (a, b) => major > a || (major === a && minor >= b) },
      api: options.api ?? NO_RUNS,
      roundEveryMs: 50,
      deadlineMs: options.deadlineMs,
    });
    const created: VcsInstance = {
      app,
      redis,
      call(method, path, pair) {
        const agent = request(app.app);
        const call = agent[method](path)
          .set('X_AUTH_HEADER', 'aGFzaA==')
          .expect(({ status, headers, text, body }) =>
            document.answer({
              ...{ method, path, status, contentType: headers['content-type'] },
              // A spec that reads bytes has no text.
              text: Buffer.isBuffer(body) ? body.toString() : text,
            }),
          );
        return pair ? call.set(accessHeaders(pair)) : call;
      },
    };
    opened.push(created);
    return created;
  }

  return {
    redisServer,
    bitbucket,
    widgets,
    logged: lines,
    pair: bitbucket.oauth.issue(),
    document,
    instance,
    async reviveRedis() {
      await redisServer.start();
      for (const redis of connections)
        await waitFor(() => redis.ping(), { what: 'a connection to Redis' });
    },
    async close() {
      await Promise.all(opened.map(({ app }) => app.close(100)));
      disconnect(...connections);
      await bitbucket.close();
    },
  };
}

/** The headers of a VCS project whose credential is a workspace's access token. */
export function vcsProjectHeaders({
  bitbucket,
  pair,
}: Pick<TestContext, 'bitbucket' | 'pair'>): Record<string, string> {
  const { apiUrl: urlApi } = bitbucket;
  return projectHeaders({ urlApi, username: 'x-token-auth', token: pair.accessToken });
}

/** A VCS project as a person imports it into CDS. */
export interface ImportedProject {
  type?: string;
  url?: string;
  urlApi?: string;
  username?: string;
  token?: string;
}

/** The headers in which the API sends a VCS project: all of them, also the empty ones. */
export function projectHeaders(project: ImportedProject): Record<string, string> {
  const base64 = (text = '') => Buffer.from(text).toString('base64');
  return {
    'X-CDS-VCS-TYPE': base64(project.type ?? 'bitbucketcloud'),
    'X-CDS-VCS-URL': base64(project.url ?? 'https://bitbucket.org'),
    'X-CDS-VCS-URL-API': base64(project.urlApi),
    'X-CDS-VCS-USERNAME': base64(project.username),
    'X-CDS-VCS-TOKEN': base64(project.token),
    'X-CDS-VCS-SSH-USERNAME': '',
    'X-CDS-VCS-SSH-PORT': base64('0'),
    'X-CDS-VCS-SSH-PRIVATE-KEY': '',
  };
}

/** The headers in which the API sends a project's tokens. */
export function accessHeaders({ accessToken, refreshToken }: Pair): Record<string, string> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return {
    'X-CDS-ACCESS-TOKEN': base64(accessToken),
    'X-CDS-ACCESS-TOKEN-SECRET': base64(refreshToken),
    'X-CDS-ACCESS-TOKEN-CREATED': base64('1795343631'),
  };
}

function serverConfig(
  bitbucket: BitbucketStandIn,
  { server, status }: InstanceOptions,
): BitbucketServerConfig {
  return {
    name: SERVER,
    url: 'https://bitbucket.org',
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    apiUrl: bitbucket.apiUrl,
    oauthUrl: bitbucket.oauthUrl,
    disableWebHooks: false,
    disableWebHooksCreation: false,
    proxyWebhook: '',
    polling: false,
    callsPerHour: 1000,
    ...server,
    status: { disable: false, showDetail: true, ...status },
  };
}
