import { awakeTime } from '@cds/testing';
import { collectGarbage } from '../../test/collect-garbage.fixture';
import { newRepository } from '../../test/stand-in-data.fixture';
import {
  useTestContext,
  type VcsInstance,
  vcsProjectHeaders,
} from '../../test/test-context.fixture';

const SERVER = '/vcs/bitbucketcloud';
const REPO = `${SERVER}/repos/acme/widgets`;

const context = useTestContext();
let vcs: VcsInstance;

beforeEach(() => {
  vcs = context.instance();
});

const get = (path: string) => vcs.call('get', path, context.pair);

describe('servers', () => {
  it('are listed with their type, without asking for tokens', async () => {
    const server = {
      type: 'bitbucketcloud',
      username: '',
      password: '',
      url: 'https://bitbucket.org',
      sshport: 0,
    };
    expect((await vcs.call('get', '/vcs')).body).toEqual({ bitbucketcloud: server });
    expect((await vcs.call('get', SERVER)).body).toEqual(server);
    expect((await vcs.call('get', `${SERVER}/polling`)).body).toEqual({
      polling_supported: false,
      polling_disabled: false,
    });
  });

  it('are found without regard to case: CDS knew them in lower case', async () => {
    const mixed = context.instance({ server: { name: 'AcmeBitbucket' } });
    const path = '/vcs/acmebitbucket/repos/acme/widgets';

    expect((await mixed.call('get', path, context.pair)).status).toBe(200);
    expect((await mixed.call('get', '/vcs/AcmeBitbucket')).status).toBe(200);
  });

  it.each(['', '/polling', '/webhooks', '/authorize', '/repos'])(
    'that are unknown are 404: %s',
    async (rest) => {
      const answer = await get(`/vcs/nosuch${rest}`);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ id: 38, message: 'resource not found', data: null });
    },
  );
});

describe('repositories', () => {
  it('of every workspace of the user are listed, page by page', async () => {
    for (let index = 0; index < 130; index += 1)
      context.bitbucket.repositories.push(newRepository('acme', `many-${index}`, 0));
    context.bitbucket.repositories.push(newRepository('other', 'gadgets', 0));
    const answer = await get(`${SERVER}/repos`);

    expect(answer.status).toBe(200);
    expect(answer.body).toHaveLength(132);
    expect(answer.body.map((repo: { fullname: string }) => repo.fullname)).toContain(
      'other/gadgets',
    );
  });

  it('have their clone URLs by name, whatever their order', async () => {
    expect((await get(REPO)).body).toEqual({
      id: '{widgets-uuid}',
      name: 'The widgets',
      slug: 'widgets',
      fullname: 'acme/widgets',
      url: 'https://bitbucket.org/acme/widgets',
      url_commit_format: 'https://bitbucket.org/acme/widgets/commits/%s',
      url_branch_format: 'https://bitbucket.org/acme/widgets/src/%s',
      url_tag_format: 'https://bitbucket.org/acme/widgets/src/%s',
      url_pull_request_format: 'https://bitbucket.org/acme/widgets/pull-requests/%d',
      http_url: 'https://bitbucket.org/acme/widgets.git',
      ssh_url: 'git@bitbucket.org:acme/widgets.git',
    });
  });

  it('have no user in the https link for a VCS project, which has one of its own for Git', async () => {
    context.widgets.cloneUser = 'ada';
    const urls = async (path: string) =>
      [(await get(path).set(vcsProjectHeaders(context))).body].flat().map((one) => one.http_url);
    expect((await get(REPO)).body.http_url).toBe('https://ada@bitbucket.org/acme/widgets.git');
    expect(await urls(REPO)).toEqual(['https://bitbucket.org/acme/widgets.git']);
  });

  it('that are unknown are 404 with id 45 and what Bitbucket says', async () => {
    const answer = await get(`${SERVER}/repos/acme/nope`);

    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({
      id: 45,
      message: 'repository not found (from: (bitbucketcloud_error) Repository acme/nope not found)',
    });
  });

  it('have forks', async () => {
    context.widgets.forks.push(newRepository('bob', 'widgets', 0));
    expect((await get(`${REPO}/forks`)).body).toMatchObject([{ fullname: 'bob/widgets' }]);
  });
});

describe('branches', () => {
  it('are listed with the main branch marked', async () => {
    const [newest, older] = context.widgets.commits;
    context.widgets.branches.set('feat/one', String(older?.hash));
    const answer = await get(`${REPO}/branches`);

    expect(answer.body).toEqual([
      {
        id: 'main',
        display_id: 'main',
        latest_commit: newest?.hash,
        default: true,
        parents: [older?.hash],
      },
      expect.objectContaining({ id: 'feat/one', default: false }),
    ]);
  });

  it.each(['feat/deep/one', 'with space', 'fix#12', 'a+b&c=d', 'plain', '100%'])(
    'are found by name: %s',
    async (name) => {
      context.widgets.branches.set(name, String(context.widgets.commits[0]?.hash));
      const answer = await get(`${REPO}/branches/?branch=${encodeURIComponent(name)}`);

      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id: name, display_id: name, default: false });
    },
  );

  it('that are unknown are 404, not 500', async () => {
    const answer = await get(`${REPO}/branches/?branch=nope`);

    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ id: 38 });
    expect(answer.body.message).toContain('Branch not found');
  });

  it('are the main one where CDS asks for the default', async () => {
    const answer = await get(`${REPO}/branches/?branch=&default=true`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id: 'main', display_id: 'main', default: true });
  });

  it('are the main one of now, also when it was another one a moment ago', async () => {
    await get(`${REPO}/branches/?branch=&default=true`);
    context.widgets.branches.set('trunk', String(context.widgets.commits[0]?.hash));
    context.widgets.branches.delete('main');
    context.widgets.mainBranch = 'trunk';
    const answer = await get(`${REPO}/branches/?branch=&default=true`);
    expect(answer.body).toMatchObject({ display_id: 'trunk', default: true });
  });

  it('are the main one of now with noCache, while the old one is still there', async () => {
    await get(`${REPO}/branches/?branch=&default=true`);
    context.widgets.branches.set('trunk', String(context.widgets.commits[0]?.hash));
    context.widgets.mainBranch = 'trunk';
    const answer = await get(`${REPO}/branches/?branch=&default=true&noCache=true`);
    expect(answer.body).toMatchObject({ display_id: 'trunk', default: true });
    const main = await get(`${REPO}/branches/?branch=main&default=false&noCache=true`);
    expect(main.body).toMatchObject({ display_id: 'main', default: false });
  });

  it('of an empty repository have no default: 404', async () => {
    context.bitbucket.repositories.push(newRepository('acme', 'empty', 0));
    const answer = await get(`${SERVER}/repos/acme/empty/branches/?branch=&default=true`);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ id: 38 });
  });

  it.each(['main', 'feat/deep/one'])('may be named as a ref: refs/heads/%s', async (name) => {
    context.widgets.branches.set(name, String(context.widgets.commits[0]?.hash));
    const ref = encodeURIComponent(`refs/heads/${name}`);
    const answer = await get(`${REPO}/branches/?branch=${ref}&default=false`);
    expect(answer.body).toMatchObject({ id: name, display_id: name });
  });

  it('have whole refs as ids for a VCS project, whose workflows as code need them', async () => {
    const ofVcsProject = async (path: string) =>
      (await get(path).set(vcsProjectHeaders(context))).body;
    const main = { id: 'refs/heads/main', display_id: 'main', default: true };

    expect(await ofVcsProject(`${REPO}/branches`)).toMatchObject([main]);
    expect(await ofVcsProject(`${REPO}/branches/?branch=main`)).toMatchObject(main);
    expect(await ofVcsProject(`${REPO}/branches/?default=true`)).toMatchObject(main);
  });

  it.each(['0', '1', '100', 'x'])(
    'are all listed with limit=%s: CDS deletes what it has of others',
    async (limit) => {
      for (let index = 0; index < 130; index += 1)
        context.widgets.branches.set(`b${index}`, String(context.widgets.commits[0]?.hash));
      const answer = await get(`${REPO}/branches?limit=${limit}&noCache=true`);
      expect(answer.body).toHaveLength(131);
    },
  );

  it('need a name', async () => {
    expect((await get(`${REPO}/branches/`)).status).toBe(400);
  });

  it('do not cost a second call for the main branch within a minute', async () => {
    await get(`${REPO}/branches/?branch=main`);
    await get(`${REPO}/branches/?branch=main`);
    const paths = context.bitbucket.requests.map((request) => request.path);

    expect(paths.filter((path) => path.endsWith('/widgets'))).toHaveLength(1);
    expect(paths.filter((path) => path.endsWith('/main'))).toHaveLength(2);
  });
});

it('a tag without a tagger shows the author of its commit', async () => {
  const commit = context.widgets.commits[1];
  context.widgets.tags.push({ name: 'light', message: null, hash: String(commit?.hash) });
  const { body: tags } = await get(`${REPO}/tags`);
  const { body: tagged } = await get(`${REPO}/commits/${commit?.hash}`);

  expect(tagged.author.displayName).not.toBe('');
  expect(tags).toEqual([expect.objectContaining({ tag: 'light', tagger: tagged.author })]);
});

it('tags have the commit in sha and hash', async () => {
  const hash = String(context.widgets.commits[1]?.hash);
  context.widgets.tags.push({ name: 'v1', message: 'one', hash });
  const answer = await get(`${REPO}/tags`);

  expect(answer.body).toEqual([
    {
      tag: 'v1',
      sha: hash,
      hash,
      message: 'one',
      tagger: {
        name: '',
        displayName: 'Tom Tagger',
        emailAddress: 'tom@acme.example',
        avatar: '',
        slug: '',
        id: '',
      },
      verified: false,
      signature: '',
      key_id: '',
    },
  ]);
});

describe('one tag', () => {
  const hash = () => String(context.widgets.commits[1]?.hash);

  it.each(['v1', 'release/1/0', 'a+b', 'v1.0-rc#2', 'hundred%'])('%s is found', async (name) => {
    context.widgets.tags.push({ name, message: null, hash: hash() });
    const answer = await get(`${REPO}/tags/${encodeURIComponent(name)}`);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ tag: name, sha: hash(), hash: hash() });
  });

  it('may be named as a ref', async () => {
    context.widgets.tags.push({ name: 'v1', message: 'one', hash: hash() });
    const answer = await get(`${REPO}/tags/refs%2Ftags%2Fv1`);
    expect(answer.body).toMatchObject({ tag: 'v1', message: 'one' });
  });

  it('that is unknown is 404', async () => {
    const answer = await get(`${REPO}/tags/nope`);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ id: 38 });
  });
});

describe('what Bitbucket Cloud does not have', () => {
  it.each([
    ['post', '/grant'],
    ['post', '/releases'],
    ['post', '/releases/1/artifacts/a.tar.gz'],
    ['get', '/events'],
    ['get', '/events?since=1795343631'],
  ] as const)('is 501: %s %s', async (method, path) => {
    const answer = await vcs.call(method, REPO + path, context.pair);
    expect(answer.status).toBe(501);
    expect(answer.body).toMatchObject({ id: 99, message: "This functionality isn't implemented" });
  });

  it('is checked all the same', async () => {
    const post = (path: string, body?: object) =>
      vcs.call('post', REPO + path, context.pair).send(body);
    expect((await post('/events?filter=push', [])).status).toBe(501);
    expect((await post('/events?filter=nope', [])).status).toBe(400);
    expect((await post('/events?filter=push')).body.id).toBe(74);
    expect((await get(`${REPO}/events?since=yesterday`)).status).toBe(400);
    expect((await vcs.call('post', `${REPO}/grant`)).status).toBe(401);
  });
});

describe("Bitbucket's refusals and failures", () => {
  it.each([
    [400, 400, 74, 'wrong request'],
    [403, 403, 11, 'forbidden'],
    [409, 409, 74, 'wrong request'],
    [410, 502, 1, 'bad gateway'],
  ])('%i becomes %i with id %i', async (status, expected, id, sentence) => {
    context.bitbucket.disturb({
      path: /widgets$/,
      status,
      body: { type: 'error', error: { message: 'No.', detail: { required: ['account'] } } },
    });
    const answer = await get(REPO);

    expect(answer.status).toBe(expected);
    expect(answer.body.id).toBe(id);
    expect(answer.body.message).toContain(`${sentence} (from: (bitbucketcloud_error) No.`);
    expect(answer.body.uuid).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('a 429 that cannot be waited out reaches the API as one', async () => {
    const limit = 'Rate limit for this resource has been exceeded';
    const headers = { 'Retry-After': '300' };
    context.bitbucket.disturb({ path: /widgets$/, status: 429, headers, body: limit });
    const answer = await get(REPO);

    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('300');
    expect(answer.body.message).toContain(limit);
  });

  it('a short 429 is waited out', async () => {
    const headers = { 'Retry-After': '1' };
    context.bitbucket.disturb({ path: /widgets$/, status: 429, headers, body: 'slow down' });

    expect((await get(REPO)).status).toBe(200);
    expect(context.bitbucket.requests).toHaveLength(2);
  });

  it('a 5xx is tried again', async () => {
    context.bitbucket.disturb({ path: /widgets$/, status: 503, body: '<html>oops</html>' });
    expect((await get(REPO)).status).toBe(200);
  });

  it('that never end are 504 at the deadline', async () => {
    context.bitbucket.latencyMs = 5_000;
    const hurried = context.instance({ deadlineMs: 300 });
    const answering = Promise.resolve(hurried.call('get', REPO, context.pair));
    expect(await awakeTime(() => answering)).toBeLessThan(2_000);
    expect((await answering).status).toBe(504);
    expect((await answering).body.id).toBe(1);
  });

  it.each([
    ['get', REPO, undefined],
    ['post', `${REPO}/pullrequests/1/comments`, '"text"'],
  ] as const)('are 504 at the deadline whatever is collected: %s', async (method, path, body) => {
    context.bitbucket.latencyMs = 5_000;
    const hurried = context.instance({ deadlineMs: 600 });
    const collecting = setInterval(collectGarbage, 50);
    const answering = Promise.resolve(hurried.call(method, path, context.pair).send(body));
    const took = await awakeTime(() => answering);
    clearInterval(collecting);

    expect((await answering).status).toBe(504);
    expect(took).toBeLessThan(2_000);
  });

  it('an unreachable Bitbucket is 502 or 504, never 500', async () => {
    const apart = context.instance({
      server: { apiUrl: 'http://127.0.0.1:9/2.0' },
      deadlineMs: 1000,
    });
    expect([502, 504]).toContain((await apart.call('get', REPO, context.pair)).status);
  });
});

describe('routing', () => {
  it.each([
    '/vcs/',
    `${REPO}/`,
    `${REPO}/tags/`,
    '/VCS',
    '/vcs/bitbucketcloud/nope',
    `${SERVER}/repos/acme`,
  ])('is strict: %s is unknown', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.body.id).toBe(38);
  });

  it('does not let a name climb out of its place', async () => {
    const answers = await Promise.all([
      get(`${SERVER}/repos/%2e%2e/user`),
      get(`${SERVER}/repos/acme/%2e%2e`),
      get(`${SERVER}/repos/acme%2F..%2Fother/widgets`),
      get(`${REPO}/branches/?branch=..%2F..`),
    ]);
    for (const answer of answers) expect(answer.status).toBeGreaterThanOrEqual(400);
    for (const answer of answers) expect(answer.status).toBeLessThan(500);
    for (const { path } of context.bitbucket.requests) expect(path).toMatch(/^\/repositories\//);
  });
});
