import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  fuzzRuns,
  hostileBytes,
  hostileJson,
  type HostileServer,
  startHostileServer,
} from '@cds/testing';
import { BitbucketError, type BitbucketClient, createOAuthClient } from '..';
import { context, fastClient } from '../../test/client.fixture';
import {
  branchValue,
  commitValue,
  hashOf,
  pullRequestValue,
  repositoryValue,
} from '../../test/values.fixture';
import { parseErrorBody } from './parse-error-body';
import { parseRetryAfter } from './refusal';
import { urlBelowApi } from './urls';

const TOKEN = 'Zq7-the-access-token-nobody-may-read==';
const CLIENT_SECRET = 'Xk9-the-client-secret-nobody-may-read';
const CODE = 'Wm4-the-code-nobody-may-read';
const SECRETS = [TOKEN, CLIENT_SECRET, CODE];
const repo = { workspace: 'ws', slug: 'repo' };
const hook = {
  url: 'https://h.example',
  description: 'd',
  events: ['repo:push'],
  active: true,
  secret: 's',
};
const status = {
  key: 'k',
  name: 'n',
  state: 'FAILED',
  url: 'https://u',
  description: 'd',
} as const;

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const page = (...values: object[]) => ({ pagelen: 10, size: values.length, values });
const hookValue = { uuid: '{1}', url: hook.url, active: true, events: ['repo:push'] };
const statusValue = { ...status, refname: 'main', created_on: 'x', updated_on: 'y' };
const tagValue = { ...branchValue('v1'), message: 'm', tagger: { raw: 'A <a@b.c>' }, date: 'd' };

type Method = (client: BitbucketClient) => Promise<unknown>;
/** Every method that reads an answer, with a valid one. */
const METHODS: [name: string, valid: object, call: Method][] = [
  [
    'listRepositories',
    page({ workspace: { slug: 'ws', uuid: '{1}' }, ...repositoryValue('ws/repo') }),
    (c) => c.listRepositories(context()),
  ],
  ['getRepository', repositoryValue('ws/repo'), (c) => c.getRepository(repo, context())],
  [
    'listBranches',
    page(branchValue('a'), branchValue('b')),
    (c) => c.listBranches(repo, context()),
  ],
  ['getTag', tagValue, (c) => c.getTag(repo, 'v1', context())],
  [
    'listCommits',
    page(commitValue('a')),
    (c) => c.listCommits(repo, { include: ['m'], exclude: [], limit: 50 }, context()),
  ],
  ['getCommit', commitValue('a'), (c) => c.getCommit(repo, hashOf('a'), context())],
  ['listStatuses', page(statusValue), (c) => c.listStatuses(repo, hashOf('a'), context())],
  [
    'listPullRequests',
    page(pullRequestValue({ id: 1, source: 's', sourceRepository: 'fork/repo' })),
    (c) => c.listPullRequests(repo, {}, context()),
  ],
  ['listHooks', page(hookValue), (c) => c.listHooks(repo, context())],
  ['createHook', hookValue, (c) => c.createHook(repo, hook, context())],
  ['postStatus', statusValue, (c) => c.postStatus(repo, hashOf('a'), status, context())],
];

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** What came of a call: its value, or its error, which must be one of ours. */
async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call() };
  } catch (error) {
    if (!(error instanceof BitbucketError)) throw error;
    const everything = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`;
    for (const secret of SECRETS) {
      expect(everything).not.toContain(secret);
      expect(everything).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20));
    }
    expect(error.message.length).toBeLessThan(2_000);
    return { kind: error.kind, message: error.message };
  } finally {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  }
}

const headers: fc.Arbitrary<Record<string, string>> = fc
  .array(
    fc.tuple(
      fc.constantFrom('Content-Type', 'Retry-After', 'Location', 'Content-Encoding', 'X-Y', 'set'),
      fc.oneof(
        fc.constantFrom('text/html', '', '0', '-1', '1e9', '999999999', 'NaN', 'gzip', 'identity'),
        fc.constantFrom('/2.0/x', '//evil.example/2.0', 'http://evil.example/2.0', '\u00ff'),
        fc.stringMatching(/^[ -~]{0,30}$/),
      ),
    ),
    { maxLength: 3 },
  )
  .map((pairs) => Object.fromEntries(pairs));

const answerLike = (valid: object, secret: string): fc.Arbitrary<Answer> =>
  fc.record({
    // 429 with a small Retry-After would really be waited for.
    status: fc.constantFrom(200, 200, 200, 200, 201, 204, 301, 304, 400, 401, 403, 404, 418, 500),
    headers,
    body: hostileBytes(
      fc,
      hostileJson(fc, { ...valid, error: { message: `No ${secret}`, fields: { a: ['b'] } } }),
    ),
  });

function serve(answers: Answer[]): void {
  server.behave((req, res) => {
    // By what is asked, since calls side by side come in any order.
    const answer = answers[(req.url ?? '').length % answers.length];
    res.writeHead(answer?.status ?? 200, { 'Retry-After': '999', ...answer?.headers });
    res.end(answer?.body);
  });
}

describe('an answer of any kind', () => {
  it.each(METHODS)('to %s is a value or a BitbucketError', async (_, valid, call) => {
    const tokens = { current: async () => TOKEN, renew: async () => `${TOKEN}2` };
    const client = fastClient(`${server.origin}/2.0`, { tokens, firstPauseMs: 0 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(answerLike(valid, TOKEN), { minLength: 1, maxLength: 3 }),
        async (all) => {
          serve(all);
          const first = await outcome(() => call(client));
          serve(all);
          expect(await outcome(() => call(client))).toEqual(first);
        },
      ),
      fuzzRuns(40),
    );
  });

  it('of the token endpoint is a pair of tokens that fit into headers, or a BitbucketError', async () => {
    const oauth = createOAuthClient({
      oauthUrl: server.origin,
      clientId: 'id',
      clientSecret: CLIENT_SECRET,
      firstPauseMs: 0,
    });
    const valid = {
      access_token: 'a-token',
      refresh_token: 'r-token',
      expires_in: 7200,
      scope: 'account webhook',
      error_description: `${CODE} ${CLIENT_SECRET}`,
    };
    await fc.assert(
      fc.asyncProperty(answerLike(valid, CODE), async (answer) => {
        serve([answer]);
        const got = (await outcome(() => oauth.exchangeCode(CODE, context()))) as {
          value?: Awaited<ReturnType<typeof oauth.exchangeCode>>;
        };
        if (!got.value) return;
        expect(got.value.accessToken).toMatch(/^[!-~]{1,16384}$/);
        expect(got.value.refreshToken).toMatch(/^[!-~]{1,16384}$/);
        const { expiresInSeconds } = got.value;
        expect(new Date(Date.now() + expiresInSeconds * 1000).toJSON()).not.toBeNull();
      }),
      fuzzRuns(300),
    );
  });
});

describe('parseErrorBody', () => {
  it('makes one bounded line of anything, without what is hidden', () => {
    const hide = (text: string) => text.replaceAll(TOKEN, '***');
    const detail = { required: [`a ${TOKEN}`], granted: [1] };
    const valid = { type: 'error', error: { message: 'm', detail, fields: { key: ['x'] } } };
    fc.assert(
      fc.property(hostileBytes(fc, hostileJson(fc, valid)), fc.nat(1_100), (body, pad) => {
        for (const bytes of [body, Buffer.concat([Buffer.alloc(pad, 'p'), Buffer.from(TOKEN)])]) {
          const { message } = parseErrorBody(bytes, hide);
          expect(message.length).toBeLessThanOrEqual(1_001);
          expect(message).not.toMatch(/[\r\n]/);
          expect(message).not.toContain(TOKEN);
          // Nor its beginning, where the message is cut; a body may itself hold no more of it.
          if (bytes !== body) expect(message).not.toContain(TOKEN.slice(0, 8));
        }
      }),
      fuzzRuns(800),
    );
  });
});

describe('parseRetryAfter', () => {
  it('reads seconds, 0 or more, or nothing', () => {
    const digits = fc.stringMatching(/^[-+ ]?[0-9.e]{0,12}$/);
    const dates = fc.date({ noInvalidDate: true }).map((date) => date.toUTCString());
    fc.assert(
      fc.property(fc.oneof(fc.string(), digits, dates), (header) => {
        const seconds = parseRetryAfter(header, Date.now());
        if (seconds !== undefined) {
          expect(Number.isSafeInteger(seconds) && seconds >= 0).toBe(true);
        }
      }),
      fuzzRuns(2_000),
    );
  });
});

describe('urlBelowApi', () => {
  const API = 'https://api.bitbucket.org/2.0';
  const parts = fc.constantFrom(
    'https:',
    'http:',
    'javascript:',
    '//',
    '/',
    '\\',
    '\\\\',
    '@',
    ':',
    ':443',
    ':80',
    '?',
    '#',
    '..',
    '.',
    '%2e%2e',
    '%2f',
    '%00',
    'api.bitbucket.org',
    'API.BITBUCKET.ORG',
    'evil.example',
    'api.bitbucket.org.',
    '2.0',
    '2.0/',
    '2.0evil',
    'repositories',
    ' ',
    '\t',
    '\n',
    'ü',
    'ａ',
    'user',
    '[::1]',
    '127.0.0.1',
    '\u3002',
  );

  it('lets a URL through only with the scheme, host, port and path of the API, and no user', () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 10 }), fc.webUrl(), (pieces, current) => {
        for (const base of [current, `${API}/repositories?page=1`]) {
          let url: URL;
          try {
            url = new URL(urlBelowApi(API, pieces.join(''), base, 'GET /x'));
          } catch (error) {
            expect(error).toBeInstanceOf(BitbucketError);
            continue;
          }
          const { protocol, host, username, password, pathname } = url;
          expect([protocol, host, username, password]).toEqual([
            'https:',
            'api.bitbucket.org',
            '',
            '',
          ]);
          expect(pathname.startsWith('/2.0/')).toBe(true);
          expect(pathname.split('/')).not.toContain('..');
        }
      }),
      fuzzRuns(2_000),
    );
  });
});
