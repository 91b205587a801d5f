import { sendRequest } from '../http/send-request';
import { bitbucketUnderTest, refusal, type BitbucketUnderTest } from './bitbucket.fixture';
import type { Json } from './model';

const REPO = '/repositories/acme/web-shop';

let bitbucket: BitbucketUnderTest;
beforeEach(async () => {
  bitbucket = await bitbucketUnderTest();
});
afterEach(() => bitbucket.standIn.close());

const get = (path: string) => bitbucket.call('GET', path);
const values = (json: Json): Json[] => json['values'] as Json[];

describe('who may ask', () => {
  it('takes a token in the Authorization header only', async () => {
    const { access } = bitbucket.tokens;

    expect((await get('/user')).status).toBe(200);
    const inQuery = await get(`/user?access_token=${access}`);
    expect(inQuery.status).toBe(401);
    const none = await bitbucket.call('GET', '/user', undefined, 'made-up');
    expect(none.status).toBe(401);
    expect(refusal(none)['message']).toBe(
      'Token is invalid, expired, or not supported for this endpoint.',
    );
    const elsewhere = await sendRequest({
      method: 'GET',
      url: `${bitbucket.standIn.url}/api/2.0/user`,
      headers: { Authorization: `Bearer ${access}` },
      timeoutMs: 5_000,
    });
    expect(elsewhere.status).toBe(404);
  });

  it('says that an access token has expired', async () => {
    bitbucket.standIn.expireAccessTokens();

    const answer = await get('/user');
    expect(answer.status).toBe(401);
    expect(refusal(answer)['message']).toBe(
      'Access token expired. Use your refresh token to obtain a new access token.',
    );
  });

  it('names the scopes that are missing, in an object', async () => {
    bitbucket.standIn.setScopes(['repository:admin', 'webhook']);

    const answer = await get('/user');
    expect(answer.status).toBe(403);
    expect(refusal(answer)['detail']).toEqual({
      required: ['account'],
      granted: ['repository:admin', 'webhook'],
    });
    expect((await get(REPO)).status).toBe(403);
    const hook = { url: 'https://ci.example/h', events: ['repo:push'] };
    expect((await bitbucket.call('POST', `${REPO}/hooks`, hook)).status).toBe(403);
    expect((await get(`${REPO}/hooks`)).status).toBe(200);
  });

  it.each([
    '/repositories?role=member',
    '/workspaces?role=member',
    '/user/permissions/repositories',
    '/user/permissions/workspaces',
    '/snippets',
  ])('has removed %s', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(410);
    expect(refusal(answer)).toMatchObject({
      message: 'CHANGE-2770 - Functionality has been deprecated',
      detail: 'Please read the changelog entry for more details.',
    });
  });

  it.each(['/users/jane-doe', '/teams/acme', '/nope', `${REPO}/`, `${REPO}/commits/`])(
    'does not know %s',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  it('hides what is in the workspaces of others', async () => {
    expect(refusal(await get('/repositories/elsewhere/secret'))['message']).toBe(
      'Repository elsewhere/secret not found',
    );
    expect((await get('/repositories/elsewhere')).status).toBe(404);
    expect((await get('/repositories/acme?role=collaborator')).status).toBe(400);
  });
});

describe('workspaces and repositories', () => {
  it('leads from the user to workspaces to repositories', async () => {
    expect((await get('/user')).json).toMatchObject({ username: 'jane-doe', nickname: 'jane' });
    const workspaces = values((await get('/user/workspaces')).json);
    expect(workspaces.map(({ workspace }) => (workspace as Json)['slug'])).toEqual([
      'acme',
      'jane-doe',
    ]);
    expect(workspaces[0]?.['workspace']).not.toHaveProperty('name');

    const repositories = values((await get('/repositories/acme?role=member&pagelen=100')).json);
    expect(repositories.map((one) => one['full_name'])).toEqual(['acme/web-shop', 'acme/payments']);
    const [first] = repositories;
    expect(first).toMatchObject({ name: 'Web Shop', slug: 'web-shop' });
    expect(JSON.stringify(first)).not.toContain('"username":"jane-doe"');
    const forks = values((await get(`${REPO}/forks`)).json);
    expect(forks.map((one) => one['full_name'])).toEqual(['jane-doe/web-shop']);
  });
});

describe('pages', () => {
  beforeEach(async () => {
    for (let number = 10; number < 35; number += 1)
      await bitbucket.standIn.push({ repo: 'acme/web-shop', branch: `b${number}`, commits: 0 });
  });

  it('are opaque, hold every parameter of the first one, and end without next', async () => {
    const seen: unknown[] = [];
    let path = `${REPO}/refs/branches?pagelen=10&sort=-name`;
    for (let pages = 0; path; pages += 1) {
      const { json } = await get(path);
      seen.push(...values(json).map(({ name }) => name));
      expect(json).not.toHaveProperty('size');
      const next = String(json['next'] ?? '');
      path = next.slice(bitbucket.standIn.apiUrl.length);
      if (next) expect(next).toMatch(/pagelen=10&sort=-name&page=[\w-]{4}$/);
      expect(pages).toBeLessThan(3);
    }
    expect(seen).toHaveLength(26);
    expect(seen.slice(0, 2)).toEqual(['main', 'b34']);
  });

  it('cannot be made up, taken elsewhere, or asked for twice in one query', async () => {
    const { json } = await get(`${REPO}/refs/branches?pagelen=10`);
    const next = String(json['next']).slice(bitbucket.standIn.apiUrl.length);

    expect((await get(next)).status).toBe(200);
    expect((await get(`${REPO}/refs/branches?pagelen=10&page=2`)).status).toBe(400);
    expect((await get(next.replace('pagelen=10', 'pagelen=20'))).status).toBe(400);
    expect((await get(next.replace('branches', 'tags'))).status).toBe(400);
    expect((await get(`${next}&pagelen=10`)).status).toBe(400);
  });

  it.each([
    [`${REPO}/refs/branches?pagelen=9`],
    [`${REPO}/refs/branches?pagelen=101`],
    [`${REPO}/refs/branches?pagelen=x`],
    [`${REPO}/pullrequests?pagelen=51`],
  ])('have limits: %s', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(400);
    expect(refusal(answer)['message']).toBe('Invalid pagelen');
  });

  it('hold what is selected, and next only if that is', async () => {
    const path = `${REPO}/refs/branches?pagelen=10&fields=`;
    const { json } = await get(`${path}values.name,values.target.hash`);
    expect(json).toEqual({
      values: expect.arrayContaining([
        { name: 'b10', target: { hash: expect.stringMatching(/^[0-9a-f]{40}$/) as string } },
      ]) as unknown,
    });
    expect((await get(`${path}values.name,next`)).json).toHaveProperty('next');
    const without = await get(`${path}-values.links,-values.target`);
    expect(Object.keys(values(without.json)[0] ?? {})).toEqual(
      expect.not.arrayContaining(['links', 'target']),
    );
    expect((await get(`${path}%2Bvalues.target,values.*.hash`)).json).toHaveProperty('values');
  });

  it('are filtered and sorted, by what there is', async () => {
    const names = async (query: string) =>
      values((await get(`${REPO}/refs/branches?${query}`)).json).map(({ name }) => name);
    const q = (text: string) => `q=${encodeURIComponent(text)}`;

    expect(await names(q('name = "b10" OR (name ~ "B3" AND name != "b30")'))).toEqual([
      'b10',
      'b31',
      'b32',
      'b33',
      'b34',
    ]);
    expect(await names(q('name IN ("main", "b12")'))).toEqual(['b12', 'main']);
    expect(await names(q('name > "b33" AND name NOT IN ("b34")'))).toEqual(['main']);
    for (const query of [
      'sort=nope',
      'sort=name,target.date',
      q('name = b10'),
      q('name "x"'),
      q('('),
    ])
      expect((await get(`${REPO}/refs/branches?${query}`)).status).toBe(400);
  });
});

describe('refs and commits', () => {
  it('lists branches, then tags, by name', async () => {
    for (const branch of ['b', 'a/x'])
      await bitbucket.standIn.push({ repo: 'acme/web-shop', branch });
    await bitbucket.standIn.createTag({ repo: 'acme/web-shop', tag: 'a-tag' });

    const { json } = await get(`${REPO}/refs?pagelen=100&fields=values.type,values.name,next`);

    expect(values(json).map(({ type, name }) => `${type} ${name}`)).toEqual([
      'branch a/x',
      'branch b',
      'branch main',
      'tag a-tag',
    ]);
  });

  it('finds a branch with a slash only where it is encoded', async () => {
    await bitbucket.standIn.push({ repo: 'acme/web-shop', branch: 'feat/a b#1' });

    expect((await get(`${REPO}/refs/branches/feat%2Fa%20b%231`)).json['name']).toBe('feat/a b#1');
    await bitbucket.standIn.push({ repo: 'acme/web-shop', branch: 'feat/b1' });
    expect((await get(`${REPO}/refs/branches/feat/b1`)).status).toBe(404);
    expect((await get(`${REPO}/commits/feat%2Fb1`)).status).toBe(404);
    expect((await get(`${REPO}/commit/feat%2Fb1`)).status).toBe(404);
    expect((await get(`${REPO}/commits?include=feat%2Fb1`)).status).toBe(200);
    expect((await get(`${REPO}/refs/branches/nope`)).status).toBe(404);
  });

  it('lists what one ref has and another has not, newest first', async () => {
    const start = bitbucket.standIn.repository('acme/web-shop').branches.get('main');
    const { hash } = await bitbucket.standIn.push({
      repo: 'acme/web-shop',
      branch: 'dev',
      commits: 3,
    });

    const listed = values((await get(`${REPO}/commits?include=dev&exclude=main`)).json);
    expect(listed).toHaveLength(3);
    expect(listed[0]).toMatchObject({ hash, type: 'commit' });
    expect(values((await get(`${REPO}/commits/${hash}?exclude=${start ?? ''}`)).json)).toEqual(
      listed,
    );
    expect((await get(`${REPO}/commits?include=dev&exclude=`)).status).toBe(404);
    expect(refusal(await get(`${REPO}/commits?include=aaaa`))['data']).toEqual({ shas: ['aaaa'] });
    const short = await get(`${REPO}/commit/${hash.slice(0, 12)}`);
    expect(short.json['hash']).toBe(hash);
    expect((short.json['author'] as Json)['raw']).toBe('Jane Doe <jane@example.com>');
  });

  it('knows light and annotated tags', async () => {
    await bitbucket.standIn.createTag({ repo: 'acme/web-shop', tag: 'v1' });
    await bitbucket.standIn.createTag({ repo: 'acme/web-shop', tag: 'v2', message: 'Two\n' });

    const [light, annotated] = values((await get(`${REPO}/refs/tags`)).json);
    expect(light).toMatchObject({ name: 'v1', message: null, tagger: null, date: null });
    expect(annotated).toMatchObject({ name: 'v2', message: 'Two\n' });
    expect((await get(`${REPO}/refs/tags/v1`)).status).toBe(200);
    expect((await get(`${REPO}/refs/tags/v3`)).status).toBe(404);
  });
});

describe('build statuses', () => {
  const status = {
    key: 'k',
    state: 'INPROGRESS',
    url: 'https://ci.example/1',
    name: 'CDS/A-b-c',
    description: 'd',
    refname: 'main',
  };
  const build = (hash: string, body: unknown) =>
    bitbucket.call('POST', `${REPO}/commit/${hash}/statuses/build`, body);
  const head = () => bitbucket.standIn.repository('acme/web-shop').branches.get('main') ?? '';

  it('are 201 when new and 200 when overwritten, kept by key', async () => {
    expect((await build(head(), status)).status).toBe(201);
    const second = await build(head(), { ...status, state: 'SUCCESSFUL' });
    expect(second.status).toBe(200);
    expect(second.json).toMatchObject({ key: 'k', state: 'SUCCESSFUL', refname: 'main' });
    const put = await bitbucket.call('PUT', `${REPO}/commit/${head()}/statuses/build/k`, {
      state: 'FAILED',
    });
    expect(put.json).toMatchObject({ state: 'FAILED', url: status.url });
    expect(values((await get(`${REPO}/commit/${head()}/statuses`)).json)).toHaveLength(1);
    expect(bitbucket.standIn.statuses('acme/web-shop', head())).toMatchObject([{ writes: 3 }]);
    expect((await get(`${REPO}/commit/${head()}/statuses/build/other`)).status).toBe(404);
  });

  it('have keys of at most 40 characters', async () => {
    const answer = await build(head(), { ...status, key: 'x'.repeat(58) });
    const problem = 'Ensure this value has at most 40 characters (it has 58).';

    expect(answer.status).toBe(400);
    expect(refusal(answer)).toEqual({ message: `key: ${problem}`, fields: { key: [problem] } });
    expect((await build(head(), { ...status, key: 'x'.repeat(40) })).status).toBe(201);
  });

  it.each([
    ['a state of its own', { ...status, state: 'CANCELLED' }],
    ['no state', { ...status, state: undefined }],
    ['no key', { ...status, key: '' }],
    ['no url', { ...status, url: undefined }],
    ['a relative url', { ...status, url: '/run/1' }],
    ['a host without a dot', { ...status, url: 'http://cds-ui:4200/run/1' }],
    ['a host with an underscore', { ...status, url: 'http://cds_ui.acme.com/run/1' }],
    ['too long a url', { ...status, url: `https://cds.acme.com/${'x'.repeat(450)}` }],
    ['too long a name', { ...status, name: 'x'.repeat(256) }],
    ['too long a description', { ...status, description: 'x'.repeat(256) }],
    ['too long a refname', { ...status, refname: 'x'.repeat(256) }],
    ['a name that is no text', { ...status, name: 7 }],
    ['a list', [status]],
  ])('are refused with %s', async (_what, body) => {
    expect((await build(head(), body)).status).toBe(400);
  });

  it('are for commits of the repository', async () => {
    expect((await build('f'.repeat(40), status)).status).toBe(404);
  });
});

describe('pull requests', () => {
  const create = (body: unknown) => bitbucket.call('POST', `${REPO}/pullrequests`, body);

  it('carry hashes of twelve digits and follow their branch', async () => {
    await bitbucket.standIn.push({ repo: 'acme/web-shop', branch: 'feat/x' });
    const created = await create({ title: 'X', source: { branch: { name: 'feat/x' } } });
    expect(created.status).toBe(201);
    const { hash } = await bitbucket.standIn.push({ repo: 'acme/web-shop', branch: 'feat/x' });

    const found = (await get(`${REPO}/pullrequests/1`)).json;
    expect(found).toMatchObject({
      state: 'OPEN',
      source: { branch: { name: 'feat/x' }, commit: { hash: hash.slice(0, 12) } },
      destination: { branch: { name: 'main' } },
    });
  });

  it('are listed open ones only, by state, or by filter', async () => {
    for (const branch of ['a', 'b'])
      await bitbucket.standIn.push({ repo: 'acme/web-shop', branch });
    await create({ title: 'A', source: { branch: { name: 'a' } } });
    await create({ title: 'B', source: { branch: { name: 'b' } } });
    bitbucket.standIn.closePullRequest({ repo: 'acme/web-shop', id: 1, state: 'DECLINED' });
    const titles = async (query: string) =>
      values((await get(`${REPO}/pullrequests?${query}`)).json).map(({ title }) => title);

    expect(await titles('')).toEqual(['B']);
    expect(await titles('state=OPEN&state=DECLINED&pagelen=50')).toEqual(['B', 'A']);
    expect(await titles(`q=${encodeURIComponent('source.branch.name="a"')}&state=OPEN`)).toEqual([
      'A',
    ]);
    expect((await get(`${REPO}/pullrequests?state=closed`)).status).toBe(400);
    expect((await get(`${REPO}/pullrequests/9`)).status).toBe(404);
  });

  it('are refused without title, branch or changes', async () => {
    const source = { branch: { name: 'main' } };
    for (const body of [
      { source },
      { title: 'T' },
      { title: 'T', source: { branch: { name: 'nope' } } },
      { title: 'T', source },
    ])
      expect((await create(body)).status).toBe(400);
  });

  it('are commented on', async () => {
    await bitbucket.standIn.push({ repo: 'acme/web-shop', branch: 'a' });
    await create({ title: 'A', source: { branch: { name: 'a' } } });
    const comment = (body: unknown, id = 1) =>
      bitbucket.call('POST', `${REPO}/pullrequests/${id}/comments`, body);

    expect((await comment({ content: { raw: 'Hello' } })).status).toBe(201);
    expect((await comment('Hello')).status).toBe(400);
    expect((await comment({ content: {} })).status).toBe(400);
    expect((await comment({ content: { raw: 'Hello' } }, 2)).status).toBe(404);
    expect(bitbucket.standIn.repository('acme/web-shop').pullRequests[0]?.comments).toMatchObject([
      { raw: 'Hello' },
    ]);
  });
});

describe('limits and faults', () => {
  it('answers 429 as text once the hour’s budget is spent', async () => {
    bitbucket.standIn.setRateLimit({ requestsPerHour: 1 });
    expect((await get(REPO)).status).toBe(200);

    const answer = await get(REPO);
    expect(answer.status).toBe(429);
    expect(answer.headers['content-type']).toBe('text/plain');
    expect(answer.text).toBe('Rate limit for this resource has been exceeded');
    expect(answer.headers).not.toHaveProperty('retry-after');
    expect((await get('/user')).status).toBe(200);

    bitbucket.standIn.setRateLimit({
      requestsPerHour: 1,
      retryAfter: { form: 'seconds', seconds: 7 },
    });
    expect((await get(REPO)).headers['retry-after']).toBe('7');
  });

  it('fails as ordered, so often, for what matches', async () => {
    const { faults } = bitbucket.standIn;
    faults.order({ fault: { kind: 'answer', status: 503 }, count: 2, path: '/refs/' });

    expect((await get(REPO)).status).toBe(200);
    const failed = await get(`${REPO}/refs/tags`);
    expect([failed.status, failed.headers['content-type']]).toEqual([503, 'text/html']);
    expect((await get(`${REPO}/refs/tags`)).status).toBe(503);
    expect((await get(`${REPO}/refs/tags`)).status).toBe(200);

    faults.order({ fault: { kind: 'drop' } });
    await expect(get(REPO)).rejects.toThrow();
    faults.order({ fault: { kind: 'slow', ms: 50 } });
    const started = Date.now();
    await get(REPO);
    expect(Date.now() - started).toBeGreaterThanOrEqual(45);
    faults.order({ fault: { kind: 'lose-answer' } });
    await expect(
      bitbucket.token({ grant_type: 'refresh_token', refresh_token: bitbucket.tokens.refresh }),
    ).rejects.toThrow();
    expect(bitbucket.standIn.oauth.counts.refresh_token).toBe(1);
    expect(faults.pending()).toBe(0);
  });

  it('remembers what was asked, and comes back after it was away', async () => {
    await get(`${REPO}/refs/tags`);
    expect(
      bitbucket.standIn.requests.count('GET', '/2.0/repositories/:workspace/:slug/refs/tags'),
    ).toBe(1);
    await bitbucket.standIn.away();
    await expect(get('/user')).rejects.toThrow('ECONNREFUSED');
    await bitbucket.standIn.back();
    expect((await get('/user')).status).toBe(200);
  });
});
