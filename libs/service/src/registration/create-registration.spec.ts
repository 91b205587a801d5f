import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CdsApiClient, isApiError } from '@cds/api-client';
import { captureLogger, describeShared, freePort, waitFor } from '@cds/testing';
import type { ServiceRegistration } from '@cds/wire';
import { startApi, type ApiStandIn } from '../../test/api-stand-in';
import { createMonitoring } from '../create-monitoring';
import { createRegistration, type RegistrationDeps } from './create-registration';

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

function register(options: Partial<RegistrationDeps> & { url?: string } = {}) {
  const { logger, lines } = captureLogger();
  const client = new CdsApiClient({
    url: options.url ?? api.url,
    insecure: false,
    requestTimeoutSeconds: 0.5,
  });
  const registration = createRegistration({
    api: client,
    logger,
    identity: { name: 'cds-hooks', type: 'hooks', url: 'http://localhost:8083' },
    token: 'the-shared-infra-token',
    config: { name: 'cds-hooks' },
    monitoring: createMonitoring({
      registration: { registered: false, failuresInARow: 0 },
      maxHeartbeatFailures: 3,
    }),
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
    expect(messages(lines)).toEqual(['Registered with the CDS API']);
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
    await sleep(60);
    const count = api.registrations.length;
    await sleep(120);
    expect(api.registrations.length).toBe(count);
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
    const [first = 0, second = 0, third = 0, fourth = 0] = times;
    expect(fourth - third).toBeGreaterThan(second - first);

    const late = await startApi(port);
    await registration.firstRegistration();
    expect(late.registrations.length).toBeGreaterThan(0);
    await late.stop();
  });

  it.each(['in maintenance', 'broken', 'silent'] as const)(
    'waits for an API that is %s, too',
    async (mood) => {
      api.mood = mood;
      const { registration } = register({ maxHeartbeatFailures: 0 });
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
    expect(lines[0]).toMatchObject({ level: 50, msg: expect.stringContaining('api.token') });
    expect(JSON.stringify(lines)).not.toContain('the-shared-infra-token');
    expect(registration.isAllowed(base64(api.hash))).toBe(false);
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
    expect(messages(lines)).toContain('Heartbeats reach the CDS API again');
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
    expect(registration.isAllowed(old)).toBe(true);
    api.hash = '11111111-4454-441f-84a2-a3abbe45700f';
    await Promise.all([1, 2, 3].map(() => registration.registerNow()));
    expect(api.registrations).toHaveLength(2);
    expect(registration.isAllowed(old)).toBe(false);
    expect(registration.isAllowed(base64(api.hash))).toBe(true);

    api.mood = 'in maintenance';
    const error = await registration.registerNow().catch((reason: unknown) => reason);
    expect(isApiError(error) && error.kind).toBe('unavailable');
    expect(registration.failuresInARow).toBe(0);
  });

  it('lets in only the base64 of the hash', async () => {
    const { registration } = register();
    expect(registration.isAllowed(base64(api.hash))).toBe(false);
    registration.start();
    await registration.firstRegistration();
    expect(registration.isAllowed(base64(api.hash))).toBe(true);
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
    for (const header of wrong) expect(registration.isAllowed(header)).toBe(false);
  });

  it('warns once of another version', async () => {
    api.upToDate = false;
    const { registration, lines } = register();
    registration.start();
    await waitFor(() => api.registrations.length >= 3);
    expect(lines.filter(({ level }) => level === 40)).toMatchObject([
      { msg: 'The CDS API has another version than this service', version: 'snapshot' },
    ]);
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
      token: expected.token,
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
