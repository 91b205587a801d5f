import { freePort, silentLogger, startTestRedis, type TestRedis } from '@cds/testing';
import type { HooksConfig } from '@cds/config';
import type { Logger } from '@cds/service';
import { Redis } from 'ioredis';
import { createHooks, type HooksService } from '../src/hooks-service';
import type { Timing } from '../src/timing';
import type { CdsApiStandIn } from './cds-api';
import { startCdsApi, TOKEN } from './cds-api-stand-in';
import { QUICK } from './quick';
import { type RunningHooks, runningHooks } from './running-hooks';

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
    http: { addr: '127.0.0.1', port, trustedProxies: [], stopDelaySeconds: 0 },
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
    workers: 1,
    executionHistory: 10,
    retryDelaySeconds: 0.2,
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

/** A real Redis, a strict stand-in of the API, and as many `hooks` as a test starts. */
export interface TestContext {
  redis: TestRedis;
  /** A connection of the test's own, opened with its first command. */
  redisClient: Redis;
  api: CdsApiStandIn;
  start(
    change?: Partial<HooksConfig>,
    options?: { logger?: Logger; timing?: Timing },
  ): Promise<RunningHooks>;
  /** Does it at the end, while Redis and the API are still there. The last one is done first. */
  onEnd(work: () => unknown): void;
  /** Everything down; to be called once. */
  end(): Promise<void>;
  /** Services down, Redis and API as new. */
  reset(): Promise<void>;
}

/**
 * The opening of a spec: starts a context before the tests of the file or `describe` that calls it,
 * resets it before each, ends it after them. After each test the API must have seen no call that a
 * real one would not have understood. The members are there from the first `beforeAll` on.
 *
 * @param keepBetweenTests services and what is stored last from one test to the next
 * @param allowViolations the tests send on purpose what the API does not understand
 */
export function useTestContext({ keepBetweenTests = false, allowViolations = false } = {}) {
  const context = {} as TestContext;
  beforeAll(async () => void Object.assign(context, await startTestContext()));
  if (!keepBetweenTests) beforeEach(() => context.reset());
  if (!allowViolations) afterEach(() => expect(context.api.violations).toEqual([]));
  afterAll(() => context.end());
  return context;
}

/**
 * A context that the caller ends.
 *
 * @param shared the Redis of another context, which ends it, and the part of it that is this one's
 */
export async function startTestContext(shared?: {
  redis: TestRedis;
  keyPrefix?: string;
  database?: number;
}): Promise<TestContext> {
  const redis = shared?.redis ?? (await startTestRedis({ appendonly: true }));
  const redisClient = new Redis(redis.url, { lazyConnect: true });
  // Without a listener ioredis prints on the console while Redis is away.
  redisClient.on('error', () => undefined);
  const { keyPrefix = '', database = 0 } = shared ?? {};
  const part = { redis: { ...redis.config, keyPrefix, database } };
  const api = await startCdsApi();
  const atEnd: (() => unknown)[] = [];
  let services: HooksService[] = [];

  async function stopServices(): Promise<void> {
    const stopping = services;
    services = [];
    await Promise.all(stopping.map((service) => service.stop(3_000)));
  }

  return {
    redis,
    redisClient,
    api,
    async start(change = {}, options = {}) {
      const port = await freePort();
      const { logger = silentLogger(), timing = {} } = options;
      const config = hooksConfig(redis, api.url, port, { ...part, ...change });
      const service = await createHooks(config, logger, { ...QUICK, ...timing });
      services.push(service);
      return runningHooks(`http://127.0.0.1:${service.port}`, service, api, config.name);
    },
    onEnd: (work) => void atEnd.unshift(work),
    async end() {
      for (const work of atEnd) await work();
      redisClient.disconnect();
      await stopServices();
      await api.stop();
      if (!shared) await redis.stop();
    },
    async reset() {
      await stopServices();
      await redis.flush();
      await api.reset();
    },
  };
}
