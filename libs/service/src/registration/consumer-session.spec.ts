import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CdsApiClient } from '@cds/api-client';
import { captureLogger, describeShared, freePort, waitFor } from '@cds/testing';
import { CdsError } from '@cds/wire';
import {
  CONSUMER_TOKEN,
  signedRequest,
  type SignInApi,
  startSignInApi,
} from '../../test/sign-in-api';
import { createMonitoring } from '../create-monitoring';
import { createRegistration, type RegistrationDeps } from './create-registration';

let api: SignInApi;
let ends: (() => Promise<void> | void)[] = [];
const startApi = async (options: Parameters<typeof startSignInApi>[0] = {}) => {
  api = await startSignInApi(options);
  ends.push(api.stop);
};
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
  ends = [];
});

function register(options: Partial<RegistrationDeps> & { url?: string } = {}) {
  const { logger, lines } = captureLogger();
  const url = options.url ?? api.url;
  const client = new CdsApiClient({ url, insecure: false, requestTimeoutSeconds: 60 });
  const monitoring = createMonitoring({ maxHeartbeatFailures: 3 });
  monitoring.watch({ registered: false, failuresInARow: 0 });
  const registration = createRegistration({
    api: client,
    logger,
    identity: { name: 'cds-hooks', type: 'hooks', url: 'http://hooks:8083' },
    token: () => CONSUMER_TOKEN,
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

async function registered(options: Parameters<typeof register>[0] = {}) {
  const all = register(options);
  all.registration.start();
  await all.registration.firstRegistration();
  return all;
}

const strangersKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const countOf = (route: string) => api.routes().filter((one) => one === route).length;
const SIGN_IN = 'POST /auth/consumer/builtin/signin';
const HEARTBEAT = 'POST /services/heartbeat';

describe('a service of CDS 0.51 and later', () => {
  beforeEach(() => startApi());

  it('signs in once with itself, and sends heartbeats apart', async () => {
    const { lines } = await registered();
    await waitFor(() => countOf(HEARTBEAT) >= 3);
    expect(api.routes().slice(0, 3)).toEqual(['GET /mon/version', SIGN_IN, HEARTBEAT]);
    expect(countOf(SIGN_IN)).toBe(1);
    const [, signIn, heartbeat] = api.calls;
    expect(signIn).toMatchObject({ authorization: undefined });
    expect(signIn?.body).toEqual({
      token: CONSUMER_TOKEN,
      service: {
        name: 'cds-hooks',
        type: 'hooks',
        http_url: 'http://hooks:8083',
        config: { name: 'cds-hooks' },
      },
    });
    const { lines: sent } = (heartbeat?.body ?? { lines: [] }) as {
      lines: Record<string, string>[];
    };
    expect(sent.map(({ component }) => component)).toEqual(['Version', 'Uptime', 'Time']);
    expect(sent[0]).toMatchObject({
      value: '0.57.0',
      type: 'hooks',
      service: 'cds-hooks',
      hostname: expect.stringMatching(/./),
    });
    expect(lines).toMatchObject([
      { msg: 'registered with the CDS API', reportedVersion: '0.57.0' },
    ]);
    expect(JSON.stringify(lines)).not.toContain(CONSUMER_TOKEN);
  });

  it('signs in again before the JWT expires, and sends no cookie', async () => {
    api.lifetimeSeconds = 1;
    await registered();
    await waitFor(() => countOf(SIGN_IN) >= 3);
    expect(api.calls.filter(({ cookie }) => cookie !== undefined)).toEqual([]);
  });

  it.each([
    ['a JWT that the API does not take', () => (api.jwt = 'another')],
    ['a service that the API has removed', () => (api.isRegistered = false)],
  ])('signs in again after a heartbeat with %s', async (_, happens) => {
    const { registration, lines } = await registered();
    happens();
    await waitFor(() => countOf(SIGN_IN) === 2);
    await waitFor(() => api.routes().at(-1) === HEARTBEAT && registration.failuresInARow === 0);
    expect(lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  it('signs in with another token once it is needed', async () => {
    let token = CONSUMER_TOKEN;
    const { registration } = await registered({ token: () => token });
    api.token = token = `${CONSUMER_TOKEN}new`;
    await waitFor(() => countOf(HEARTBEAT) >= 3);
    expect(countOf(SIGN_IN)).toBe(1);
    api.jwt = 'another';
    await waitFor(() => countOf(SIGN_IN) === 2 && api.routes().at(-1) === HEARTBEAT);
    expect(registration.failuresInARow).toBe(0);
  });

  it('waits for an API in maintenance, without counting', async () => {
    api.isInMaintenance = true;
    const { registration } = register({ maxHeartbeatFailures: 0 });
    registration.start();
    await waitFor(() => countOf(SIGN_IN) >= 3);
    expect(registration.failuresInARow).toBe(0);
    api.isInMaintenance = false;
    await registration.firstRegistration();
  });

  it('ends the start with the reason of CDS where the consumer has another name', async () => {
    api.name = 'cds-hooks-eager_and_priceless_coenen';
    const refusals: Error[] = [];
    const { registration } = register({ onRefusedForGood: (error) => refusals.push(error) });
    registration.start();
    await waitFor(() => refusals.length > 0);
    expect(refusals[0]?.message).toContain(
      `service name "cds-hooks" doesn't match with consumer "cds-hooks-eager_and_priceless_coenen"`,
    );
    expect(refusals[0]?.message).toContain('set hooks.name');
    expect(countOf(SIGN_IN)).toBe(1);
  });

  it('counts a refused token, and says what to do', async () => {
    const token = `${CONSUMER_TOKEN}B`;
    const { registration, lines } = register({ token: () => token });
    registration.start();
    await waitFor(() => registration.failuresInARow >= 2);
    expect(lines[0]).toMatchObject({
      level: 50,
      msg: 'CDS API refuses api.token',
      advice: expect.stringContaining('consumer'),
    });
    expect(JSON.stringify(lines)).not.toContain(token);
  });

  it.each([
    ['a name that another service has', 409, 'pq: duplicate key', /180 s/],
    ['no reason', 403, undefined, /another type.*no administrator/],
  ])('says what to do about a refusal with %s', async (_, status, from, advice) => {
    api.refusal = { status, from };
    const { registration, lines } = register();
    registration.start();
    await waitFor(() => registration.failuresInARow > 0);
    expect(lines[0]).toMatchObject({ level: 50, advice: expect.stringMatching(advice) });
  });

  it('names the scope where the sign-in succeeds and the heartbeat is refused', async () => {
    api.hasScope = false;
    const { registration, lines } = register();
    registration.start();
    await waitFor(() => registration.failuresInARow > 0);
    expect(lines[0]).toMatchObject({ advice: expect.stringContaining('scope Service') });
  });

  it('names the scopes in the error of any call that the consumer may not make', async () => {
    const { client } = await registered();
    api.hasScope = false;
    const run = { project: 'P', workflow: 'w', event: {} as never };
    await expect(client.runWorkflow(run)).rejects.toThrow(/api\.token.*Project, Run and Hooks/);
  });

  it('says that the key of the API is missing where a proxy holds it back', async () => {
    api.hidesKey = true;
    const { registration, lines } = register();
    registration.start();
    await waitFor(() => lines.length > 0);
    expect(lines[0]?.err).toMatchObject({
      message: expect.stringMatching(/X-Api-Pub-Signing-Key.*in front/),
    });
  });

  it('admits signed calls alone, and tells a caller of a new process to come again', async () => {
    const silent = `http://127.0.0.1:${await freePort()}`;
    const early = register({ url: silent }).registration.callers;
    expect(early.isAllowed(api.signed())).toBe(false);
    expect(early.refusal(api.signed()).error).toMatchObject({ status: 503 });
    expect(early.refusal({ headers: {} }).error).toMatchObject({ status: 401, id: 10 });

    const { registration } = register();
    const waiting = registration.callers.settled(api.signed());
    registration.start();
    await waiting;
    const { callers } = registration;
    expect(callers.isAllowed(api.signed('/task?a=b'))).toBe(true);
    const elsewhere = { ...api.signed(), url: '/task/other' };
    expect(callers.isAllowed(elsewhere)).toBe(false);
    expect(callers.hasCredentials(elsewhere)).toBe(true);
    expect(callers.refusal(elsewhere)).toMatchObject({
      error: { status: 401, id: 10 },
      reason: expect.stringContaining('Host header'),
    });
    expect(callers.hasCredentials({ headers: { authorization: 'Bearer x' } })).toBe(false);
    expect(callers.isAllowed({ headers: { x_auth_header: 'eA==' } })).toBe(false);
  });

  it('notices another key of the API by a signature that does not verify', async () => {
    const { registration } = await registered({ intervalMs: 3_600_000 });
    const { callers } = registration;
    api.rotateKey();
    // Several calls at once are one sign-in, and all wait for it.
    const signIns = countOf(SIGN_IN);
    const calls = [api.signed('/task/1'), api.signed('/task/2'), api.signed('/task/3')];
    for (const call of calls) expect(callers.isAllowed(call)).toBe(false);
    await Promise.race(calls.map((call) => callers.settled(call)));
    for (const call of calls) expect(callers.isAllowed(call)).toBe(true);
    expect(countOf(SIGN_IN)).toBe(signIns + 1);
    // A stranger's signatures do not lead to a sign-in each.
    const before = countOf(SIGN_IN);
    for (let n = 0; n < 20; n++)
      await callers.settled(signedRequest(strangersKey, `/task/${n}`, 'hooks:8083'));
    expect(countOf(SIGN_IN)).toBeLessThan(before + 20);
  });

  it('writes errors as CDS 0.44 and later reads them', async () => {
    const { registration } = await registered();
    const error = new CdsError('notFound', { from: 'there is no such task' });
    expect(registration.callers.errorBody(error, 'r')).toMatchObject({
      message: 'resource not found',
      request_id: 'r',
      from: 'there is no such task',
    });
  });
});

describe('a service of CDS 0.44 to 0.50', () => {
  it('signs in, registers with the JWT, and sends heartbeats', async () => {
    await startApi({ version: '0.50.0' });
    await registered();
    await waitFor(() => countOf(HEARTBEAT) >= 2);
    const registerRoute = 'POST /services/register';
    expect(api.routes().slice(0, 4)).toEqual([
      'GET /mon/version',
      SIGN_IN,
      registerRoute,
      HEARTBEAT,
    ]);
    expect(api.calls[1]?.body).toEqual({ token: CONSUMER_TOKEN });
    expect(api.calls[2]?.body).toMatchObject({
      name: 'cds-hooks',
      type: 'hooks',
      http_url: 'http://hooks:8083',
      version: '0.50.0',
    });
    api.isRegistered = false;
    await waitFor(() => countOf(registerRoute) === 2);
  });

  it('is found by trying where the version has no numbers', async () => {
    await startApi({ version: '0.50.0' });
    api.reportedVersion = 'snapshot';
    await registered();
    expect(countOf(SIGN_IN)).toBe(2);
    expect(countOf('POST /services/register')).toBe(1);
  });

  it('needs no version where the configuration says it: a proxy may hold /mon back', async () => {
    await startApi();
    api.hidesVersion = true;
    const { registration } = await registered({ generation: '0.54' });
    expect(registration.callers.isAllowed(api.signed())).toBe(true);
  });

  it('is refused where the configuration says another', async () => {
    await startApi({ version: '0.50.0' });
    const { registration } = register({ generation: '0.54' });
    registration.start();
    await waitFor(() => registration.failuresInARow > 0);
    expect(countOf('POST /services/register')).toBe(0);
  });
});

describe('an API of another generation', () => {
  it('is an error that names the versions: a consumer token for CDS 0.41', async () => {
    await startApi({ version: '0.41.0' });
    const { registration, lines } = register();
    registration.start();
    await waitFor(() => registration.failuresInARow > 0);
    expect(lines[0]).toMatchObject({ level: 50 });
    expect(JSON.stringify(lines[0])).toMatch(/0\.41\.0.*sharedInfraToken.*0\.40 to 0\.43/);
    expect(countOf(SIGN_IN)).toBe(0);
  });

  it('is an error that names the versions: a shared.infra token for CDS 0.57', async () => {
    await startApi();
    const { registration, lines } = register({ token: () => 'a-shared-infra-token' });
    registration.start();
    await waitFor(() => registration.failuresInARow > 0);
    expect(JSON.stringify(lines[0])).toMatch(/0\.57\.0.*token of a consumer.*0\.54 and later/);
  });

  it('is an error that names the versions: CDS 0.39', async () => {
    await startApi({ version: '0.39.3' });
    const { registration, lines } = register();
    registration.start();
    await waitFor(() => registration.failuresInARow > 0);
    expect(JSON.stringify(lines[0])).toMatch(/0\.39\.3.*too old.*0\.40 to 0\.43/);
  });
});

interface Recorded {
  request: { method: string; url: string; body: Record<string, unknown> };
}

describeShared('the recorded calls of services', (root) => {
  const recorded = (cds: string) => {
    const path = join(root, 'contract', `cds-${cds}`, 'services-to-api.json');
    return JSON.parse(readFileSync(path, 'utf8')) as Recorded[];
  };
  interface Line {
    component: string;
  }

  it.each(['0.57', '0.51'])('of CDS %s sign in and send heartbeats as we do', async (cds) => {
    await startApi({ version: `${cds}.0` });
    const calls = recorded(cds).map(({ request }) => request);
    const theirs = calls.find(({ url }) => url.endsWith('/signin'))?.body.service as {
      name: string;
      type: 'vcs' | 'hooks';
      http_url: string;
      config: Record<string, unknown>;
    };
    const { name, type, http_url: url, config } = theirs;
    await registered({ identity: { name, type, url }, config });
    const ours = api.calls.find(({ route }) => route === SIGN_IN)?.body.service;
    expect(ours).toEqual({ name, type, http_url: url, config });
    const heartbeat = calls.find(({ url }) => url.endsWith('/services/heartbeat'))?.body;
    const [line] = (heartbeat?.lines ?? []) as Line[];
    const sent = api.calls.find(({ route }) => route === HEARTBEAT)?.body;
    const [ourLine] = (sent?.lines ?? []) as Line[];
    expect(Object.keys(sent ?? {}).toSorted()).toEqual(Object.keys(heartbeat ?? {}).toSorted());
    expect(Object.keys(ourLine ?? {}).toSorted()).toEqual(Object.keys(line ?? {}).toSorted());
    expect(ourLine?.component).toBe(line?.component);
  });
});
