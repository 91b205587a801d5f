import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { CdsApiClient, isApiError } from '@cds/api-client';
import { connectRedis, createHashStore, whenReady } from '@cds/redis';
import {
  captureLogger,
  describeShared,
  disconnect,
  freePort,
  startTestRedis,
  type TestRedis,
  waitFor,
} from '@cds/testing';
import type { ServiceRegistration } from '@cds/wire';
import type { Redis } from 'ioredis';
import { startApi, type ApiStandIn } from '../../test/api-stand-in';
import { createMonitoring } from '../create-monitoring';
import { createKnownHashes } from './known-hashes';
import {
  createRegistration,
  type Registration,
  type RegistrationDeps,
} from './create-registration';

const base64 = (text: string) => Buffer.from(text).toString('base64');

let api: ApiStandIn;
let ends: (() => void)[] = [];

beforeEach(async () => {
  api = await startApi();
});
afterEach(async () => {
  ends.forEach((end) => end());
  ends = [];
  await api.stop();
});

function register(
  options: Partial<RegistrationDeps> & { url?: string; requestTimeoutSeconds?: number } = {},
) {
  const { logger, lines } = captureLogger();
  const client = new CdsApiClient({
    url: options.url ?? api.url,
    insecure: false,
    requestTimeoutSeconds: options.requestTimeoutSeconds ?? 60,
  });
  const monitoring = createMonitoring({ maxHeartbeatFailures: 3 });
  monitoring.watch({ registered: false, failuresInARow: 0 });
  const registration = createRegistration({
    api: client,
    logger,
    identity: { name: 'cds-hooks', type: 'hooks', url: 'http://localhost:8083' },
    token: () => 'the-shared-infra-token',
    config: { name: 'cds-hooks' },
    monitoring: monitoring.status,
    maxHeartbeatFailures: 3,
    intervalMs: 30,
    firstRetryMs: 20,
    ...options,
  });
  ends.push(() => {
    registration.stop();
    client.close();
  });
  return { registration, lines, client };
}

/** Whether a request with this `X_AUTH_HEADER` is the API's. */
const isAllowed = ({ callers }: Registration, header: string | undefined) =>
  callers.isAllowed({ headers: { x_auth_header: header } });

const messages = (lines: Record<string, unknown>[]) => lines.map(({ msg }) => msg);

describe('createRegistration', () => {
  it('registers, says so once, and keeps sending heartbeats', async () => {
    const { registration, lines } = register();
    expect(registration.registered).toBe(false);
    let heartbeats = 0;
    const end = registration.onHeartbeat(() => heartbeats++);
    registration.start();
    registration.start();
    await registration.firstRegistration();
    expect(registration.registered).toBe(true);
    await waitFor(() => heartbeats >= 3);
    end();
    const heard = heartbeats;
    await waitFor(() => api.registrations.length > heard + 1);
    expect(heartbeats).toBe(heard);
    expect(messages(lines)).toEqual(['registered with the CDS API']);
    expect(api.registrations[0]).toMatchObject({
      name: 'cds-hooks',
      type: 'hooks',
      http_url: 'http://localhost:8083',
      token: 'the-shared-infra-token',
      config: { name: 'cds-hooks' },
      version: 'snapshot',
    });
    // Our opinion of the API stays here.
    const components = api.registrations[0]?.monitoring_status.lines.map((line) => line.component);
    expect(components).toEqual(['Version', 'Uptime', 'Time']);
  });

  it('stops', async () => {
    const { registration } = register();
    registration.start();
    await registration.firstRegistration();
    registration.stop();
    const heard = () => api.registrations.filter(({ name }) => name === 'cds-hooks').length;
    const before = heard();
    const other = { name: 'other', type: 'hooks', url: 'http://localhost:8084' } as const;
    register({ identity: other }).registration.start();
    await waitFor(() => api.registrations.length > before + 5);
    // One may have been under way.
    expect(heard()).toBeLessThanOrEqual(before + 1);
    await expect(registration.registerNow()).rejects.toThrow('the service is stopping');
  });

  it('waits for an API that is not up, with growing pauses, without counting', async () => {
    const port = await freePort();
    const { registration, lines } = register({
      url: `http://127.0.0.1:${port}`,
      maxHeartbeatFailures: 0,
      onTooManyFailures: () => {
        throw new Error('must not be called');
      },
    });
    registration.start();
    await waitFor(() => lines.length >= 4, { what: 'four tries' });
    expect(registration.failuresInARow).toBe(0);
    expect(lines.map(({ level }) => level).slice(0, 4)).toEqual([40, 20, 20, 20]);
    const times = lines.map(({ time }) => Number(time));
    const [, second = 0, third = 0, fourth = 0] = times;
    // After 20, 40 and 80 ms, by a clock of whole milliseconds.
    expect(third - second).toBeGreaterThanOrEqual(39);
    expect(fourth - third).toBeGreaterThanOrEqual(79);

    const late = await startApi(port);
    await registration.firstRegistration();
    expect(late.registrations.length).toBeGreaterThan(0);
    await late.stop();
  });

  it.each(['in maintenance', 'broken', 'silent'] as const)(
    'waits for an API that is %s, too',
    async (mood) => {
      api.mood = mood;
      const { registration } = register({ maxHeartbeatFailures: 0, requestTimeoutSeconds: 2 });
      registration.start();
      await waitFor(() => api.registrations.length >= 2);
      expect(registration.failuresInARow).toBe(0);
      api.mood = 'well';
      await registration.firstRegistration();
    },
  );

  it('counts a refused token from the start, and says which key to set', async () => {
    api.mood = 'refuses the token';
    const errors: Error[] = [];
    const { registration, lines } = register({ onTooManyFailures: (error) => errors.push(error) });
    registration.start();
    await waitFor(() => registration.failuresInARow > 4);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(
      /^4 heartbeats to the CDS API failed in a row \(maxHeartbeatFailures is 3\); the last one: .*not authenticated/,
    );
    expect(lines[0]).toMatchObject({
      level: 50,
      msg: 'CDS API refuses api.token',
      advice: expect.stringContaining('shared.infra'),
    });
    expect(JSON.stringify(lines)).not.toContain('the-shared-infra-token');
    expect(isAllowed(registration, base64(api.hash))).toBe(false);
  });

  it('counts every failure after the first success, and begins anew after each success', async () => {
    const calledAt: number[] = [];
    const { registration, lines } = register({
      onTooManyFailures: () => calledAt.push(registration.failuresInARow),
    });
    registration.start();
    await registration.firstRegistration();
    for (const round of [1, 2]) {
      api.mood = 'broken';
      await waitFor(() => registration.failuresInARow > 5);
      expect(calledAt).toEqual(Array(round).fill(4));
      api.mood = 'well';
      await waitFor(() => registration.failuresInARow === 0);
    }
    expect(messages(lines)).toContain('heartbeats reach the CDS API again');
    // A service that is told nothing goes on for ever.
    const { registration: patient } = register();
    patient.start();
    await patient.firstRegistration();
    api.mood = 'broken';
    await waitFor(() => patient.failuresInARow > 5);
    expect(patient.registered).toBe(true);
  });

  it('registers now, once for all who ask, and takes the new hash', async () => {
    const { registration } = register({ intervalMs: 60_000 });
    registration.start();
    await registration.firstRegistration();
    const old = base64(api.hash);
    expect(isAllowed(registration, old)).toBe(true);
    api.hash = '11111111-4454-441f-84a2-a3abbe45700f';
    await Promise.all([1, 2, 3].map(() => registration.registerNow()));
    expect(api.registrations).toHaveLength(2);
    // The API goes on using it for the clients that it made before.
    expect(isAllowed(registration, old)).toBe(true);
    expect(isAllowed(registration, base64(api.hash))).toBe(true);

    api.mood = 'in maintenance';
    const error = await registration.registerNow().catch((reason: unknown) => reason);
    expect(isApiError(error) && error.kind).toBe('unavailable');
    expect(registration.failuresInARow).toBe(0);
  });

  it('lets in only the base64 of the hash', async () => {
    const { registration } = register();
    expect(isAllowed(registration, base64(api.hash))).toBe(false);
    registration.start();
    await registration.firstRegistration();
    expect(isAllowed(registration, base64(api.hash))).toBe(true);
    const wrong = [
      undefined,
      '',
      'nope',
      '%%%',
      api.hash,
      base64('nope'),
      `${base64(api.hash)}=`,
      base64(api.hash).toLowerCase(),
      base64(''),
      'é'.repeat(100),
    ];
    for (const header of wrong) expect(isAllowed(registration, header)).toBe(false);
  });

  it('tells the API its own version, also after an upgrade of the API, and logs ours beside it', async () => {
    api.version = '0.41.0';
    const { registration, lines } = register();
    registration.start();
    await registration.firstRegistration();
    const told = () => api.registrations.map(({ version }) => version);
    const toldInLine = () =>
      api.registrations.map(
        ({ monitoring_status }) =>
          monitoring_status.lines.find(({ component }) => component === 'Version')?.value,
      );
    expect(told()).toEqual(['snapshot', '0.41.0']);
    expect(lines).toMatchObject([{ version: 'snapshot', reportedVersion: '0.41.0' }]);
    await waitFor(() => api.registrations.length > 3);
    const before = api.registrations.length;
    api.version = '0.42.0';
    await waitFor(() => told().at(-1) === '0.42.0');
    expect(told().slice(1, before)).toEqual(Array(before - 1).fill('0.41.0'));
    expect(toldInLine()).toEqual(told());
    expect(lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  it('warns once of an API that calls it out of date whatever it says', async () => {
    api.neverUpToDate = true;
    const { registration, lines } = register();
    registration.start();
    await waitFor(() => api.registrations.length >= 3);
    expect(lines.filter(({ level }) => level === 40)).toMatchObject([
      { msg: 'CDS API has another version than this service', version: 'snapshot' },
    ]);
  });
});

describe('the hashes of a name', () => {
  let redisServer: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    redisServer = await startTestRedis();
  });
  beforeEach(async () => {
    await redisServer.flush();
    redis = await connect();
  });
  afterEach(() => disconnect(redis));
  afterAll(() => redisServer.stop());

  async function connect(): Promise<Redis> {
    const { logger } = captureLogger();
    const connection = connectRedis({ redis: redisServer.config, logger, name: 's' }, 'client');
    ends.push(() => disconnect(connection));
    await whenReady(connection, 60_000);
    return connection;
  }

  function start(connection = redis) {
    const { logger, lines } = captureLogger();
    const hashes = createKnownHashes({ store: createHashStore(connection, 'hashes:s'), logger });
    return { ...register({ hashes }), hashes, hashLines: lines };
  }

  async function registered(connection = redis) {
    const one = start(connection);
    one.registration.start();
    await one.registration.firstRegistration();
    await waitFor(() => redis.exists('hashes:s'));
    return one;
  }

  it('are all taken, also by a process that has not registered yet', async () => {
    const first = await registered();
    const old = base64(api.hash);
    api.hash = 'the hash after 180 s of silence';
    await first.registration.registerNow();
    await waitFor(async () => (await redis.zcard('hashes:s')) === 2);
    first.registration.stop();
    await api.stop();

    const { registration } = start(await connect());
    await registration.callers.settled();
    expect(registration.registered).toBe(false);
    for (const header of [old, base64(api.hash)])
      expect(isAllowed(registration, header)).toBe(true);
    for (const header of [base64('another'), base64(''), '', old.slice(0, -1)])
      expect(isAllowed(registration, header)).toBe(false);
    api = await startApi();
  });

  it('are stored so that who reads Redis can call nobody', async () => {
    const { registration } = await registered();
    const stored = await redis.zrange('hashes:s', '0', '-1');
    expect(stored).toHaveLength(1);
    const everything = stored.join();
    expect(everything).not.toContain(api.hash);
    expect(everything).not.toContain(base64(api.hash));
    for (const one of stored) {
      expect(isAllowed(registration, one)).toBe(false);
      expect(isAllowed(registration, base64(one))).toBe(false);
    }
  });

  it('are the newest fifty, of whom the one in use never goes', async () => {
    const { registration, hashes } = await registered();
    const inUse = api.hash;
    for (let n = 0; n < 60; n++) hashes.add(`hash ${n}`);
    hashes.add(inUse);
    await waitFor(async () => (await redis.zcard('hashes:s')) === 50);
    expect(isAllowed(registration, base64('hash 0'))).toBe(false);
    for (const hash of [inUse, 'hash 59']) expect(isAllowed(registration, base64(hash))).toBe(true);
    expect(await redis.pttl('hashes:s')).toBeGreaterThan(0);
  });

  it('are known when a Redis that was away at the start is there', async () => {
    await registered();
    await redisServer.kill();
    const { logger } = captureLogger();
    const late = connectRedis({ redis: redisServer.config, logger, name: 'late' }, 'client');
    ends.push(() => disconnect(late));
    const { registration } = start(late);
    expect(isAllowed(registration, base64(api.hash))).toBe(false);
    await redisServer.start();
    // Nothing is kept on disk here: what another process stored meanwhile.
    const again = await connect();
    const fingerprint = createHash('sha256').update(base64('of before')).digest('hex');
    await createHashStore(again, 'hashes:s').add([{ fingerprint, at: Date.now() }]);
    late.disconnect(true);
    await waitFor(() => isAllowed(registration, base64('of before')));
  });

  it('are stored by a later heartbeat where Redis did not take them', async () => {
    await redisServer.kill();
    const { registration } = start();
    registration.start();
    await registration.firstRegistration();
    expect(isAllowed(registration, base64(api.hash))).toBe(true);
    await redisServer.start();
    const again = await connect();
    await waitFor(async () => (await again.zcard('hashes:s')) === 1);
  });
});

describe('the hashes of a name, after Redis lost them,', () => {
  let redisServer: TestRedis;
  beforeAll(async () => {
    redisServer = await startTestRedis();
  });
  beforeEach(() => redisServer.flush());
  afterAll(() => redisServer.stop());

  async function connect(): Promise<Redis> {
    const { logger } = captureLogger();
    const connection = connectRedis({ redis: redisServer.config, logger, name: 's' }, 'client');
    ends.push(() => disconnect(connection));
    await whenReady(connection, 60_000);
    return connection;
  }
  function known(redis: Redis) {
    const { logger, lines } = captureLogger();
    const hashes = createKnownHashes({ store: createHashStore(redis, 'hashes:s'), logger });
    return { hashes, lines };
  }
  const stored = (redis: Redis) => redis.zrange('hashes:s', '0', '-1', 'WITHSCORES');

  /** A process that learned one of two hashes from Redis, given at another time. */
  async function withTwo() {
    const first = await connect();
    known(first).hashes.add('old');
    const redis = await connect();
    await waitFor(async () => (await redis.zcard('hashes:s')) === 1);
    first.disconnect();
    await waitFor(async () => Date.now() > Number((await stored(redis))[1]));
    const one = known(redis);
    await one.hashes.settled();
    one.hashes.add('new');
    await waitFor(async () => (await redis.zcard('hashes:s')) === 2);
    return { redis, ...one };
  }

  /** What a process that starts now lets in. */
  async function letIn(redis: Redis): Promise<boolean[]> {
    const { hashes } = known(redis);
    await hashes.settled();
    return ['old', 'new'].map((hash) => hashes.includes(base64(hash)));
  }

  it('are put back with their times once Redis is there again, without a heartbeat', async () => {
    const { redis } = await withTwo();
    const before = await stored(redis);
    await redisServer.kill();
    await redisServer.start();
    await waitFor(async () => (await redis.zcard('hashes:s').catch(() => 0)) === 2);
    expect(await stored(redis)).toEqual(before);
    expect(await redis.pttl('hashes:s')).toBeGreaterThan(0);
    expect(await letIn(redis)).toEqual([true, true]);
  });

  it.each([
    ['all', (redis: Redis) => redis.flushall()],
    ['the oldest', (redis: Redis) => redis.zremrangebyrank('hashes:s', 0, 0)],
  ])('are put back by the next heartbeat where %s went without a reconnect', async (_, lose) => {
    const { redis, hashes } = await withTwo();
    await lose(redis);
    hashes.add('new');
    await waitFor(async () => (await redis.zcard('hashes:s')) === 2);
    expect(await letIn(redis)).toEqual([true, true]);
  });

  it('cost one round trip a heartbeat, lost or not', async () => {
    const { redis, hashes } = await withTwo();
    const sent = jest.spyOn(redis.stream, 'write');
    for (const lost of [false, true]) {
      if (lost) await redis.flushall();
      sent.mockClear();
      hashes.add('new');
      // The hashes are answered with the first, and what would follow with the second.
      await redis.ping();
      await redis.ping();
      expect(sent.mock.calls.length).toBeLessThanOrEqual(3);
    }
    expect(await redis.zcard('hashes:s')).toBe(2);
  });

  it('never make those that another process was given later older', async () => {
    const { redis, hashes } = await withTwo();
    const later = Date.now() + 60_000;
    const [oldest = ''] = await stored(redis);
    await redis.zadd('hashes:s', later, oldest);
    hashes.add('newer');
    await waitFor(async () => (await redis.zcard('hashes:s')) === 3);
    expect(Number(await redis.zscore('hashes:s', oldest))).toBe(later);
  });

  it('are a warning where Redis never had them, and none where it had', async () => {
    const { redis, hashes, lines } = await withTwo();
    const warnings = () => lines.filter(({ level }) => level === 40).length;
    const tried = () => messages(lines).filter((msg) => String(msg).includes('trying again'));
    await redisServer.kill();
    await waitFor(() => redis.status !== 'ready');
    hashes.add('new');
    await waitFor(() => tried().length === 1);
    expect(warnings()).toBe(0);
    hashes.add('never stored');
    await waitFor(() => tried().length === 2);
    expect(warnings()).toBe(1);
    await redisServer.start();
    await waitFor(async () => (await redis.zcard('hashes:s').catch(() => 0)) === 3);
  });
});

describeShared('the recorded registrations', (root) => {
  const recorded = JSON.parse(
    readFileSync(join(root, 'contract', 'services-to-api.json'), 'utf8'),
  ) as { request: { body: ServiceRegistration } }[];

  it.each([0, 1])('%i is what we send', async (index) => {
    const expected = recorded[index]?.request.body;
    if (!expected) throw new Error('not recorded');
    const { registration } = register({
      identity: { name: expected.name, type: expected.type, url: expected.http_url },
      token: () => expected.token,
      config: expected.config,
    });
    registration.start();
    await registration.firstRegistration();
    const { monitoring_status, ...sent } = api.registrations[0] as ServiceRegistration;
    const { monitoring_status: status, ...rest } = expected;
    expect(sent).toEqual(rest);
    // Volatile: now, and the values of Uptime and Time.
    const shape = ({ lines }: ServiceRegistration['monitoring_status']) =>
      lines.map((line) => ({ ...line, value: line.component === 'Version' ? line.value : '' }));
    expect(shape(monitoring_status)).toEqual(shape(status));
    expect(Object.keys(monitoring_status)).toEqual(Object.keys(status));
  });
});
