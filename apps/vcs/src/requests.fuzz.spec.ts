import fc from 'fast-check';
import { cpuTime, fuzzRuns, hostileBytes, hostileJson } from '@cds/testing';
import { isCdsErrorBody } from '@cds/wire';
import type request from 'supertest';
import { CLIENT_SECRET } from '../test/oauth-stand-in.fixture';
import {
  accessHeaders,
  projectHeaders,
  SERVER,
  useTestContext,
  WEBHOOK_KEY,
  type VcsInstance,
} from '../test/test-context.fixture';
import { readAccessHeaders } from './credentials/access-headers';
import { readProjectHeaders } from './credentials/project-headers';

const context = useTestContext({ keepBetweenTests: true });
let vcs: VcsInstance;
beforeAll(() => {
  vcs = context.instance();
});
type Method = 'get' | 'post' | 'put' | 'delete';

const hook = {
  name: 'POST',
  url: 'https://hooks.example/webhook/5a0b1c2d-0000-4000-8000-000000000001',
  events: ['repo:push'],
  workflow: true,
};
const event = {
  type_event: 'sdk.EventRunWorkflowNode',
  project_key: 'P',
  workflow_name: 'w',
  payload: {
    NodeName: 'n',
    Status: 'Success',
    Number: 1,
    SubNumber: 0,
    Hash: 'a'.repeat(40),
    RepositoryFullName: 'acme/widgets',
    BranchName: 'main',
  },
};
const end = { repo: 'acme/widgets', branch: { display_id: 'b' } };
const repo = `/vcs/${SERVER}/repos/acme/widgets`;
/** Routes that read a body, with a valid one. */
const WRITES: [Method, string, unknown][] = [
  ['post', `/vcs/${SERVER}/authorize`, { token: 't', secret: 'a-code' }],
  ['post', `${repo}/hooks`, hook],
  ['put', `${repo}/hooks`, hook],
  ['post', `/vcs/${SERVER}/status`, event],
  ['post', `${repo}/pullrequests`, { title: 't', head: end, base: end }],
  ['post', `${repo}/pullrequests/1/comments`, 'a comment'],
  ['post', `${repo}/pullrequests/comments`, { id: 1, revision: 'r', message: 'm' }],
  ['post', `/vcs/${SERVER}/events`, [1]],
];
const READS = [
  '/vcs',
  `/vcs/${SERVER}`,
  `/vcs/${SERVER}/webhooks`,
  `${repo}/branches`,
  `${repo}/branches/`,
  `${repo}/branches/commits`,
  `${repo}/commits`,
  `${repo}/commits/abc/statuses`,
  `${repo}/hooks`,
  `${repo}/pullrequests/1`,
];

/** An answer that CDS could have given, and nothing in it that nobody may read. */
function expectWellMannered({ status, body, text, headers }: request.Response): void {
  expect([status, text]).not.toEqual([500, expect.anything()]);
  if (status >= 400) expect([isCdsErrorBody(body), text]).toEqual([true, text]);
  const all = `${text}${JSON.stringify(headers)}`;
  for (const secret of [CLIENT_SECRET, WEBHOOK_KEY, context.pair.refreshToken])
    expect(all).not.toContain(secret);
  expect(all.length).toBeLessThan(100_000);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

describe('a body', () => {
  it.each(WRITES)('of any kind is answered as CDS would: %s %s', async (method, path, valid) => {
    const bodies = hostileBytes(fc, hostileJson(fc, valid));
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const call = vcs.call(method, path, context.pair).type('application/json');
        expectWellMannered(await call.serialize((bytes: unknown) => bytes as string).send(body));
      }),
      fuzzRuns(40),
    );
  });

  it.each([
    ['events', { ...hook, events: Array(500_000).fill(1) }],
    ['an event', { ...hook, events: ['x'.repeat(1_000_000)] }],
    [
      'a name of a repository',
      { ...event, payload: { ...event.payload, RepositoryFullName: 'x'.repeat(1_000_000) } },
    ],
  ])('of a great many characters is refused in few words and little time: %s', async (_, body) => {
    const path = 'events' in body ? `${repo}/hooks` : `/vcs/${SERVER}/status`;
    const send = (what: object) => Promise.resolve(vcs.call('post', path, context.pair).send(what));
    const answer = await send(body);
    expect(answer.status).toBe(400);
    expect(answer.text.length).toBeLessThan(3_000);
    // Held against a body of that size which is refused for its first field.
    const padded = { ...body, events: 1, payload: 1, padding: Array(250_000).fill('') };
    const usual = Math.max(50, await cpuTime(() => send(padded)));
    expect(await cpuTime(() => send(body))).toBeLessThan(10 * usual);
  });
});

describe('a query and a path', () => {
  const text = fc.oneof(
    fc.constantFrom(
      '',
      '.',
      '..',
      '%',
      '%zz',
      '%00',
      '%2F',
      '%2e%2e',
      '%E0%A4%A',
      '%ED%A0%80',
      '__proto__',
      'constructor',
      'main',
      '1',
    ),
    fc.constantFrom(
      '-1',
      '0',
      '1e9',
      '99999999999999999999',
      'x'.repeat(5_000),
      '{a}',
      "';--",
      '\\',
      '[]',
      'a[b]=c',
      '&',
      '=',
      '+',
    ),
    fc.string({ unit: 'grapheme', maxLength: 12 }).map(encodeURIComponent),
  );
  const key = fc.constantFrom(
    'branch',
    'url',
    'id',
    'head',
    'base',
    'since',
    'until',
    'branch[]',
    '__proto__',
    '__proto__[polluted]',
  );

  it('of any kind are answered as CDS would', async () => {
    const query = fc.array(fc.tuple(key, text), { maxLength: 4 });
    const segment = fc.option(fc.tuple(fc.nat(8), text), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...READS), query, segment, async (path, pairs, changed) => {
        const segments = path.split('/');
        if (changed) segments[1 + (changed[0] % segments.length)] = changed[1];
        const url = `${segments.join('/') || '/'}?${pairs.map((pair) => pair.join('=')).join('&')}`;
        if (!/^\/[!-~]*$/.test(url) || url.startsWith('//')) return;
        expectWellMannered(await vcs.call('get', url, context.pair));
      }),
      fuzzRuns(250),
    );
  });
});

describe('the access headers', () => {
  it('are tokens of printable ASCII, or refused', () => {
    const text = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      fc.string().map((token) => Buffer.from(token).toString('base64')),
      fc.stringMatching(/^[!-~]{1,40}$/).map((token) => Buffer.from(token).toString('base64')),
      fc.constantFrom('', '=', '====', 'YQ', 'YQ==', 'YR==', 'Y Q==', 'YQ==\n', '-_-_', 'w7w='),
    );
    fc.assert(
      fc.property(text, text, (access, refresh) => {
        const headers = { 'x-cds-access-token': access, 'x-cds-access-token-secret': refresh };
        try {
          const pair = readAccessHeaders(headers);
          expect(pair.accessToken).toMatch(/^[!-~]+$/);
          expect(pair.refreshToken).toMatch(/^[!-~]+$/);
        } catch (error) {
          expect(error).toMatchObject({ name: 'CdsError', status: 401 });
          if (access.length > 6) expect((error as Error).message).not.toContain(access);
        }
      }),
      fuzzRuns(2_000),
    );
  });

  it('of any kind are answered as CDS would, and are no token of another project', async () => {
    const value = fc.oneof(
      fc.stringMatching(/^[ -~]{0,40}$/),
      fc.base64String(),
      fc.constantFrom(...Object.values(accessHeaders(context.pair)), 'x'.repeat(5_000)),
    );
    const headers = fc.record({
      'X-CDS-ACCESS-TOKEN': value,
      'X-CDS-ACCESS-TOKEN-SECRET': value,
      'X-CDS-ACCESS-TOKEN-CREATED': value,
    });
    await fc.assert(
      fc.asyncProperty(headers, async (given) => {
        const asked = context.bitbucket.requests.length;
        const answer = await vcs.call('get', repo).set(given);
        expectWellMannered(answer);
        if (given['X-CDS-ACCESS-TOKEN'] === given['X-CDS-ACCESS-TOKEN-SECRET']) return;
        const own = accessHeaders(context.pair);
        const isOwn = given['X-CDS-ACCESS-TOKEN'] === own['X-CDS-ACCESS-TOKEN'];
        if (!isOwn && answer.status === 200) {
          // Renewed by the refresh token of the project.
          expect(given['X-CDS-ACCESS-TOKEN-SECRET']).toBe(own['X-CDS-ACCESS-TOKEN-SECRET']);
          expect(context.bitbucket.requests.length).toBeGreaterThan(asked);
        }
      }),
      fuzzRuns(100),
    );
  });
});

describe('the headers of a VCS project', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const address = fc.oneof(
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.constantFrom(
      'https://bitbucket.org/acme',
      'https://bitbucket.org/acme/../x',
      'https://u:p@bitbucket.org/2.0',
      'http://127.0.0.1:1/2.0//',
      'http://[::1]:1',
      'file:///etc/passwd',
      'javascript:alert(1)',
      '//x',
      'https://',
      `https://x/${'y'.repeat(3_000)}`,
    ),
    fc.string(),
  );
  const project = fc.record({
    type: fc.oneof({ weight: 9, arbitrary: fc.constant('bitbucketcloud') }, fc.string()),
    url: address,
    urlApi: fc.oneof(fc.constant(''), address),
    username: fc.oneof(fc.constantFrom('', 'x-token-auth', 'j@x'), fc.string(), fc.emailAddress()),
    token: fc.oneof(fc.stringMatching(/^[!-~]{7,40}$/), fc.string()),
  });

  it('name an address of an API and a token, or are refused', () => {
    fc.assert(
      fc.property(project, (given) => {
        const sent = Object.entries(projectHeaders(given));
        const headers = Object.fromEntries(
          sent.map(([name, value]) => [name.toLowerCase(), value]),
        );
        try {
          const read = readProjectHeaders(headers);
          if (!read) return expect(given.type).toBe('');
          const { protocol, username, password, search, hash } = new URL(read.apiUrl);
          expect(protocol).toMatch(/^https?:$/);
          expect(username + password + search + hash).toBe('');
          expect(read.apiUrl).not.toMatch(/\/$/);
          expect(read.user ?? '').not.toMatch(/[:\r\n]/);
          expect(read.token).toMatch(/^[!-~]*$/);
          for (const name of Object.values(read.part ?? {}))
            expect(name ?? 'none').toMatch(/^[\w.-]+$/);
        } catch (error) {
          expect(error).toMatchObject({ name: 'CdsError' });
          const { status, message } = error as { status: number; message: string };
          expect([400, 401, 404]).toContain(status);
          expect(message.length).toBeLessThan(500);
          if (given.token.length > 6) expect(message).not.toContain(given.token);
        }
      }),
      fuzzRuns(2_000),
    );
  });

  it('of any kind are answered as CDS would', async () => {
    const header = fc.oneof(
      fc.stringMatching(/^[ -~]{0,40}$/),
      fc.base64String(),
      fc.constantFrom('', base64('bitbucketcloud'), base64('x-token-auth'), 'x'.repeat(5_000)),
    );
    const names = ['TYPE', 'URL', 'USERNAME', 'TOKEN'].map((name) => `X-CDS-VCS-${name}`);
    const headers = fc.record(Object.fromEntries(names.map((name) => [name, header])));
    const own = projectHeaders({ urlApi: context.bitbucket.apiUrl });
    await fc.assert(
      fc.asyncProperty(headers, async (given) => {
        expectWellMannered(await vcs.call('get', repo).set({ ...own, ...given }));
      }),
      fuzzRuns(100),
    );
  });
});

describe('the log of all that', () => {
  it('holds no secret and no error that someone must act upon', () => {
    const log = JSON.stringify(context.logged);
    for (const secret of [CLIENT_SECRET, WEBHOOK_KEY, ...Object.values(context.pair)])
      expect(log).not.toContain(secret);
    expect(context.logged.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
