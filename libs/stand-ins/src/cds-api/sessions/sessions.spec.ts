import { createPublicKey } from 'node:crypto';
import { startCdsApi, type CdsApiStandIn } from '../index';
import { callApi, scriptedService, type ScriptedService } from '../services.fixture';
import { callAs, monitoring, serviceBody, signIn, signInService } from './session-client.fixture';

let api: CdsApiStandIn;
let hooks: ScriptedService;
beforeAll(async () => {
  hooks = await scriptedService();
});
afterAll(() => hooks.close());
afterEach(() => api.close());

const start = async (cds: '0.50' | '0.51' | '0.57') => {
  api = await startCdsApi({ cds });
};
const refusal = (id: number, from?: string) => ({
  id,
  message: expect.any(String) as string,
  request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  ...(from === undefined ? {} : { from: expect.stringContaining(from) as string }),
});
const heartbeat = (jwt: unknown) => callAs(api, jwt, 'POST', '/services/heartbeat', monitoring());

describe.each(['0.51', '0.57'] as const)('signing in to %s', (cds) => {
  beforeEach(() => start(cds));
  const body = (more: Record<string, unknown> = {}) => ({
    token: api.tokenOf('hooks', 'h'),
    service: { ...serviceBody('hooks', 'h', hooks.url), ...more },
  });

  it('answers a JWT of an hour, the key of the API and a cookie, and has a service then', async () => {
    const answer = await signIn(api, body());
    expect(answer).toMatchObject({
      status: 200,
      json: {
        api_url: api.url,
        user: { ring: 'ADMIN' },
        service: { id: 1, name: 'h', type: 'hooks', http_url: hooks.url },
      },
    });
    const [header, claims] = String(answer.json['token'])
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(header ?? '')).toEqual({ alg: 'RS512', typ: 'JWT' });
    const { exp, iat, iss } = JSON.parse(claims ?? '') as Record<string, number>;
    expect([Number(exp) - Number(iat), iss]).toEqual([3_600, 'cds-api']);
    const pem = Buffer.from(String(answer.headers['x-api-pub-signing-key']), 'base64').toString();
    expect(pem).toMatch(/^-----BEGIN RSA PUBLIC KEY-----\n/);
    expect(createPublicKey(pem).asymmetricKeyType).toBe('rsa');
    expect(answer.headers['set-cookie']?.[0]).toContain('HttpOnly; Secure; SameSite=Strict');
    expect(api.services()).toMatchObject([{ name: 'h', type: 'hooks', url: hooks.url }]);
    expect(api.violations()).toEqual([]);
  });

  it('has one row for one consumer: the last one wins, and the type stays', async () => {
    const token = api.sessions.createConsumer({ name: 'me', scopes: ['Service'] }).token;
    const as = (name: string, url: string, type: 'vcs' | 'hooks' = 'vcs') =>
      signIn(api, { token, service: serviceBody(type, name, url) });
    await as('one', 'http://one');
    await as('two', 'http://two');
    expect(api.services()).toMatchObject([{ id: 1, name: 'two', url: 'http://two' }]);
    expect(await as('two', 'http://two', 'hooks')).toMatchObject({
      status: 403,
      json: refusal(11),
    });
  });

  it.each([
    [
      'another name',
      { service: { name: 'x' } },
      403,
      11,
      'service name "x" doesn\'t match with consumer "h"',
    ],
    [
      'another type',
      { service: { type: 'vcs' } },
      403,
      11,
      'service type "vcs" doesn\'t match with consumer "hooks"',
    ],
    ['no service', { service: undefined }, 403, 11, 'missing service payload'],
    ['another token', { token: 'a.b.c' }, 403, 11, 'invalid signin token'],
    ['no token', { token: undefined }, 403, 11, 'missing or invalid authentication token'],
    ['a service that is text', { service: 'h' }, 400, 74, undefined],
  ])('is refused with %s', async (_what, change, status, id, from) => {
    const { token, service } = body();
    const asked = {
      token: 'token' in change ? change.token : token,
      service:
        'service' in change && typeof change.service !== 'object'
          ? change.service
          : { ...service, ...('service' in change ? change.service : {}) },
    };
    const answer = await signIn(api, asked);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject(refusal(id, from));
    expect(api.services()).toEqual([]);
  });

  it('is refused as bad JSON, in maintenance, and to whose owner is no administrator', async () => {
    expect((await signIn(api, '{bad')).status).toBe(403);
    const { token } = api.sessions.createConsumer({
      ...{ name: 'me', scopes: ['Service'] as const, isAdmin: false },
    });
    expect(await signIn(api, { ...body(), token })).toMatchObject({ status: 403 });
    api.setMaintenance(true);
    expect(await signIn(api, body())).toMatchObject({ status: 503, json: refusal(60) });
  });

  it('is refused with a name that the service of another consumer has', async () => {
    await signIn(api, body());
    const { token } = api.sessions.createConsumer({ name: 'me', scopes: ['Service'] });
    const { service } = body();
    expect(await signIn(api, { token, service })).toMatchObject({
      status: 409,
      json: refusal(192, 'idx_service_name'),
    });
    api.forgetServices();
    expect((await signIn(api, { token, service })).status).toBe(200);
  });

  it('has no registration any more', async () => {
    const jwt = await signInService(api, 'hooks', 'h', hooks.url);
    expect(await callAs(api, jwt, 'POST', '/services/register', body().service)).toMatchObject({
      status: 404,
      json: refusal(38),
    });
  });
});

describe('signing in to 0.50', () => {
  beforeEach(() => start('0.50'));

  it('is without a service, which is registered with the JWT', async () => {
    const token = api.tokenOf('hooks', 'h');
    const service = serviceBody('hooks', 'h', hooks.url);
    const refused = await signIn(api, { token, service });
    expect([refused.status, refused.json]).toEqual([403, refusal(11)]);
    const { json } = await signIn(api, { token });
    expect(json).not.toHaveProperty('service');
    expect(await heartbeat(json['token'])).toMatchObject({ status: 403, json: refusal(11) });
    const registered = await callAs(api, json['token'], 'POST', '/services/register', service);
    expect(registered).toMatchObject({
      status: 200,
      json: { id: 1, name: 'h', up_to_date: false },
    });
    expect((await heartbeat(json['token'])).status).toBe(204);
    expect((await callAs(api, 'none', 'POST', '/services/register', service)).status).toBe(401);
    api.setMaintenance(true);
    expect((await callAs(api, json['token'], 'POST', '/services/register', service)).status).toBe(
      503,
    );
  });
});

describe('a session', () => {
  beforeEach(() => start('0.57'));
  const signedIn = () => signInService(api, 'hooks', 'h', hooks.url);

  it('is for heartbeats and what hooks asks, until its hour is over', async () => {
    const jwt = await signedIn();
    expect((await heartbeat(jwt)).status).toBe(204);
    expect(api.services()).toMatchObject([{ heartbeats: 2 }]);
    for (const path of ['/workflow/hook', '/workflow/hook/executions'])
      expect((await callAs(api, jwt, 'GET', path)).text).toBe('[]');
    expect((await callAs(api, jwt, 'GET', '/config/vcsgerrit')).text).toBe('{}');
    // A minute less: real time passes as well, on a busy machine some seconds of it.
    api.sessions.passTime(3_540);
    expect((await heartbeat(jwt)).status).toBe(204);
    api.sessions.passTime(61);
    expect(await heartbeat(jwt)).toMatchObject({ status: 401, json: refusal(10) });
    expect((await heartbeat(await signedIn())).status).toBe(204);
  });

  it('can be shorter', async () => {
    api.sessions.setSeconds(10);
    const jwt = await signedIn();
    api.sessions.passTime(11);
    expect((await heartbeat(jwt)).status).toBe(401);
  });

  it('is none with another signature, none at all, or a cookie on a call that changes something', async () => {
    const jwt = await signedIn();
    const [header, claims] = jwt.split('.');
    for (const wrong of [`${header}.${claims}.AAAA`, 'none', ''])
      expect((await heartbeat(wrong)).status).toBe(401);
    const cookie = { Cookie: `jwt_token=${jwt}` };
    const answer = await callApi(api, 'POST', '/services/heartbeat', {
      body: monitoring(),
      headers: cookie,
    });
    expect(answer.status).toBe(403);
    expect(api.violations()).toEqual(['a service sent the cookie jwt_token back']);
  });

  it('lasts over a restart with another key, unless the keys before it are forgotten', async () => {
    const jwt = await signedIn();
    api.sessions.rotateKey();
    expect((await heartbeat(jwt)).status).toBe(204);
    api.sessions.rotateKey({ forgetOld: true });
    expect((await heartbeat(jwt)).status).toBe(401);
    const body = { token: api.tokenOf('hooks', 'h') };
    expect((await signIn(api, body)).json['from']).toBe('invalid signin token');
  });

  it('ends with the sign-out, and the service with it', async () => {
    const jwt = await signedIn();
    expect(await callAs(api, jwt, 'POST', '/auth/consumer/signout', {})).toMatchObject({
      status: 200,
      text: 'null',
    });
    expect(api.services()).toEqual([]);
    expect((await heartbeat(jwt)).status).toBe(401);
  });

  it('of a service that was silent for too long is that of none: its heartbeat is forbidden', async () => {
    const jwt = await signedIn();
    api.forgetServices();
    expect(await heartbeat(jwt)).toMatchObject({ status: 403, json: refusal(11) });
    expect((await callAs(api, jwt, 'GET', '/workflow/hook')).status).toBe(403);
  });

  it('is checked for what its token may be used for', async () => {
    const vcs = await signInService(api, 'vcs', 'v', hooks.url);
    expect((await callAs(api, vcs, 'GET', '/workflow/hook')).status).toBe(401);
    const jwt = await signedIn();
    expect(await callAs(api, jwt, 'POST', '/services/heartbeat', { now: 'today' })).toMatchObject({
      status: 400,
      json: refusal(74),
    });
    expect((await callApi(api, 'GET', '/config/user')).json).toEqual({
      'url.ui': api.url,
      'url.api': api.url,
    });
  });

  it('is not what 0.41 has', async () => {
    await api.close();
    api = await startCdsApi();
    expect(() => api.sessions).toThrow('CDS 0.41 has no sessions');
    expect((await signIn(api, { token: 't' })).status).toBe(401);
  });
});
