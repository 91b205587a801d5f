import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import { startCdsApi, type CdsApiStandIn } from '../index';
import { scriptedService, type ScriptedService } from '../services.fixture';
import { signingString } from './http-signature';
import { signInService } from './session-client.fixture';

const HOST = 'vcs:8084';

describe('what a signature is over', () => {
  it.each([
    [
      'a path, decoded, and the query as it is',
      { method: 'DELETE', path: '/v2/event/bbc/jdoe%2Fa%20b+c?url=http%3A%2F%2Fh&id={u}' },
      '(request-target): delete /v2/event/bbc/jdoe/a b+c?url=http%3A%2F%2Fh&id={u}\nhost: vcs:8084',
    ],
    [
      'a date only where there is one',
      { method: 'GET', path: '/vcs', date: 'Sun, 29 Nov 2026 10:00:00 GMT' },
      '(request-target): get /vcs\nhost: vcs:8084\ndate: Sun, 29 Nov 2026 10:00:00 GMT',
    ],
    [
      'every question mark after the first as it is',
      { method: 'GET', path: '/a?b=c?d' },
      '(request-target): get /a?b=c?d\nhost: vcs:8084',
    ],
  ])('is %s', (_what, call, text) => {
    expect(signingString({ host: HOST, ...call })).toBe(text);
  });
});

/** Whether a call that came in was signed by the owner of the key. */
function isSigned(
  call: { method: string; url: string; headers: Record<string, unknown> },
  publicKey: string,
): boolean {
  const signature = /signature="([^"]+)"/.exec(String(call.headers['authorization']))?.[1] ?? '';
  const text = signingString({
    method: call.method,
    path: call.url,
    host: String(call.headers['host']),
  });
  return verify(
    'sha256',
    Buffer.from(text),
    createPublicKey(publicKey),
    Buffer.from(signature, 'base64'),
  );
}

describe('the calls of the API', () => {
  let api: CdsApiStandIn;
  let vcs: ScriptedService;
  beforeEach(async () => {
    api = await startCdsApi({ cds: '0.57' });
    vcs = await scriptedService();
    await signInService(api, 'vcs', 'v', vcs.url);
    await api.importVcsProject({ project: 'P', username: 'x-token-auth', token: 't' });
    vcs.seen.length = 0;
  });
  afterEach(() => Promise.all([api.close(), vcs.close()]));

  it('are signed with the key that the sign-in gave, over host and decoded path, without a date', async () => {
    const paths = ['/repos/a/b/tags/v%2F1', '/repos/a/b/hooks?url=http%3A%2F%2Fh&id={u}'];
    for (const path of paths) await api.callVcs('P', 'bbc', 'GET', path);
    expect(vcs.seen).toHaveLength(2);
    for (const call of vcs.seen) {
      expect(isSigned(call, api.sessions.publicKey())).toBe(true);
      expect(isSigned({ ...call, url: `${call.url}0` }, api.sessions.publicKey())).toBe(false);
      expect(call.headers['authorization']).toContain('headers="(request-target) host date"');
      expect(call.headers).not.toHaveProperty('date');
      expect(call.headers).not.toHaveProperty('x_auth_header');
      expect(call.headers['request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    const [first, second] = vcs.seen.map(({ headers }) => String(headers['authorization']));
    expect(first?.split('=')[0]).not.toBe(second?.split('=')[0]);
  });

  it('are signed with another key when the API was started with another one', async () => {
    const before = api.sessions.publicKey();
    api.sessions.rotateKey();
    await api.callVcs('P', 'bbc', 'GET', '/repos');
    const [call] = vcs.seen;
    expect(call && isSigned(call, before)).toBe(false);
    expect(call && isSigned(call, api.sessions.publicKey())).toBe(true);
  });
});

interface Recorded {
  request: Parameters<typeof isSigned>[0];
  response: { headers: Record<string, unknown> };
}

describeShared('the recorded calls of a real API', (root) => {
  const read = (...parts: string[]) =>
    JSON.parse(readFileSync(join(root, 'contract', ...parts), 'utf8')) as Recorded[];

  it.each(['cds-0.51', 'cds-0.57'])('of %s are signed as those here', (folder) => {
    const key = read(folder, 'services-to-api.json')
      .map(({ response }) => response.headers['x-api-pub-signing-key'])
      .find((header) => typeof header === 'string');
    const publicKey = Buffer.from(String(key), 'base64').toString();
    for (const file of ['api-to-vcs.json', 'api-to-hooks.json'])
      for (const { request } of read(folder, file)) {
        if (!request.headers['authorization']) continue;
        expect(isSigned(request, publicKey)).toBe(true);
        expect(isSigned({ ...request, method: 'PATCH' }, publicKey)).toBe(false);
      }
    expect.hasAssertions();
  });

  it('verify with the key that lies beside them', () => {
    const publicKey = readFileSync(join(root, 'contract', 'cds-0.57', 'api-pub.pem'), 'utf8');
    const [call] = read('cds-0.57', 'api-to-vcs-v2-probe.json');
    expect(call && isSigned(call.request, publicKey)).toBe(true);
  });
});
