import dns from 'node:dns';
import { getDefaultAutoSelectFamilyAttemptTimeout as attemptTimeout } from 'node:net';
import { setDefaultAutoSelectFamilyAttemptTimeout as setAttemptTimeout } from 'node:net';
import { type SlowListener, startSlowListener, waitFor } from '@cds/testing';
import { allowSlowConnects } from '@cds/network';
import { context, fastClient } from '../../test/client.fixture';
import { repositoryValue } from '../../test/values.fixture';
import type { BitbucketCall } from '..';

const repo = { workspace: 'ws', slug: 'repo' };
const hook = { url: 'https://h.example', description: 'd', events: [], active: true, secret: 's' };
const usual = attemptTimeout();

let listener: SlowListener;
let calls: BitbucketCall[];

beforeEach(async () => {
  const body = JSON.stringify({ ...repositoryValue('ws/repo'), uuid: '{1}' });
  listener = await startSlowListener({ status: 200, body });
  calls = [];
  // An address that works, and after it one without a route, as an IPv4-only host has it.
  const found = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  jest
    .spyOn(dns, 'lookup')
    .mockImplementation(((_host: string, _options: unknown, done: unknown) =>
      (done as (error: null, all: unknown) => void)(null, found)) as never);
});
afterEach(async () => {
  setAttemptTimeout(usual);
  jest.restoreAllMocks();
  await listener.stop();
});

const client = (firstPauseMs = 5) =>
  fastClient(`http://slow.example:${listener.port}/2.0`, {
    firstPauseMs,
    onCall: (call) => calls.push(call),
  });

describe('a handshake that takes long', () => {
  it('is waited for, longer than the quarter of a second that Node gives it', async () => {
    allowSlowConnects();
    const reading = client().getRepository(repo, context(60_000));
    // Longer than four attempts of Node's.
    setTimeout(() => listener.accept(), 900);
    await expect(reading).resolves.toMatchObject({ slug: 'repo' });
    // Two where this machine was too busy to accept within the second until the SYN is sent again.
    expect(calls.length).toBeLessThanOrEqual(2);
  });

  it('that ends in vain sent nothing, so that even a POST is tried again', async () => {
    setAttemptTimeout(200);
    const creating = client(500).createHook(repo, hook, {
      ...context(60_000),
      deadline: Date.now() + 60_000,
    });
    // From the first failure on it accepts, and the next attempt is given time.
    await waitFor(() => calls.length > 0, { what: 'the first attempt to fail' });
    setAttemptTimeout(30_000);
    listener.accept();
    await expect(creating).resolves.toMatchObject({ uuid: '{1}' });
    expect(calls.length).toBeGreaterThan(1);
    expect(calls[0]).toMatchObject({ method: 'POST', failure: 'unreachable' });
    // The listener's message about a request may come after its answer.
    await waitFor(() => listener.requests.length > 0, { what: 'the request to be told of' });
    expect(listener.requests).toEqual(['POST']);
  });
});
