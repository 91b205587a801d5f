import { vcsKeys } from '@cds/redis';
import {
  type ImportedProject,
  projectHeaders,
  useTestContext,
  type VcsInstance,
} from '../../test/test-context.fixture';

const REPO = '/vcs/bbc/repos/acme/widgets';
const USER = 'jdoe@example.com';
const API_TOKEN = 'ATATT3xFfGF0-an-api-token';
const ACCESS_TOKEN = 'ATCTT3xFfGN0-an-access-token';

const context = useTestContext();

beforeEach(() => {
  context.bitbucket.apiTokens.set(API_TOKEN, USER);
  context.bitbucket.accessTokens.add(ACCESS_TOKEN);
});

/** `urlApi` leads to the stand-in unless told otherwise. */
function ask(
  vcs: VcsInstance,
  project: ImportedProject,
  path = REPO,
  method: 'get' | 'post' = 'get',
) {
  return vcs
    .call(method, path)
    .set(projectHeaders({ urlApi: context.bitbucket.apiUrl, ...project }));
}

const withoutServers = () => context.instance({ withoutServers: true, apiVersion: [0, 57] });

function everythingLogged(): string {
  return JSON.stringify(context.logged);
}

describe('the credential of a VCS project', () => {
  it('is sent as Basic with an e-mail address, and no server needs to be configured', async () => {
    const answer = await ask(withoutServers(), { username: USER, token: API_TOKEN });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ fullname: 'acme/widgets' });
    expect(context.bitbucket.requests).toMatchObject([{ user: USER, token: API_TOKEN }]);
    expect(answer.headers['x-cds-access-token']).toBeUndefined();
  });

  it.each(['x-token-auth', ''])('is sent as Bearer with the user name "%s"', async (username) => {
    const answer = await ask(withoutServers(), { username, token: ACCESS_TOKEN });
    expect(answer.status).toBe(200);
    expect(context.bitbucket.requests).toMatchObject([{ user: undefined, token: ACCESS_TOKEN }]);
  });

  it('comes before an OAuth server of the same name, whose grants work beside it', async () => {
    const vcs = context.instance();
    const path = '/vcs/bitbucketcloud/repos/acme/widgets';
    await ask(vcs, { username: USER, token: API_TOKEN }, path).expect(200);
    await vcs.call('get', path, context.pair).expect(200);
    expect(context.bitbucket.requests.map(({ user, token }) => [user, token])).toEqual([
      [USER, API_TOKEN],
      [undefined, context.pair.accessToken],
    ]);
  });

  it('is needed: 401 without any, 404 for another type', async () => {
    const vcs = withoutServers();
    const none = await vcs.call('get', REPO);
    expect([none.status, none.body.id]).toEqual([401, 10]);
    const empty = await ask(vcs, { type: '', url: '', urlApi: '' });
    expect([empty.status, empty.body.id]).toEqual([401, 10]);
    const gitlab = await ask(vcs, { type: 'gitlab', token: 'x' });
    expect(gitlab.status).toBe(404);
    expect(JSON.stringify(gitlab.body)).toContain('it serves bitbucketcloud');
    expect(context.bitbucket.requests).toEqual([]);
  });

  it('is not asked for by routes about a server, which know VCS projects, too', async () => {
    const vcs = withoutServers();
    const info = await ask(vcs, {}, '/vcs/bbc/webhooks');
    expect([info.status, info.body.webhooks_supported]).toEqual([200, true]);
    expect((await ask(vcs, {}, '/vcs/bbc/polling')).body.polling_supported).toBe(false);
    expect((await ask(vcs, {}, '/vcs/bbc')).body.type).toBe('bitbucketcloud');
    expect((await vcs.call('get', '/vcs')).body).toEqual({});
    expect((await vcs.call('get', '/vcs/bbc/webhooks')).status).toBe(404);
  });

  it.each([
    'ftp://bitbucket.example/2.0',
    'bitbucket.example',
    'https://user:secret@bitbucket.example/2.0',
    'https://bitbucket.example/2.0?x=1',
    `https://bitbucket.example/${'x'.repeat(2_000)}`,
  ])('goes to no urlApi like %.60s: 400 says what to write', async (urlApi) => {
    const answer = await ask(withoutServers(), { username: USER, token: API_TOKEN, urlApi });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain('write https://api.bitbucket.org/2.0');
  });

  it.each([
    ['X-CDS-VCS-TOKEN', '%%%', 'not in base64'],
    ['X-CDS-VCS-TOKEN', Buffer.from('a\r\nb').toString('base64'), 'holds blanks'],
    ['X-CDS-VCS-TOKEN', '', 'it has no token'],
    ['X-CDS-VCS-USERNAME', Buffer.from('a:b').toString('base64'), 'no e-mail address'],
  ])('%s: "%s" is 401 without a call', async (header, value, said) => {
    const answer = await ask(withoutServers(), { username: USER, token: API_TOKEN }).set(
      header,
      value,
    );
    expect(answer.status).toBe(401);
    expect(JSON.stringify(answer.body)).toContain(said);
    expect(context.bitbucket.requests).toEqual([]);
  });

  it.each([
    [{ username: USER, token: 'ATATT-gone' }, 'has expired'],
    [{ username: 'jdoe', token: API_TOKEN }, 'not an e-mail address'],
    [{ username: USER, token: 'ATBB-an-app-password' }, 'app passwords ended'],
    [{ username: USER, token: ACCESS_TOKEN }, 'with x-token-auth as the user name'],
    [{ username: 'x-token-auth', token: API_TOKEN }, 'the token is an API token'],
    [{ username: '', token: 'ATCTT-gone' }, 'was revoked'],
  ])('%j is refused with 401, id 44 and what to do', async (project, advice) => {
    const answer = await ask(withoutServers(), project);
    expect([answer.status, answer.body.id]).toEqual([401, 44]);
    const said = JSON.stringify(answer.body);
    expect(said).toContain('(bitbucketcloud_error) Token is invalid');
    expect(said).toContain(advice);
    expect(said + everythingLogged()).not.toContain(project.token);
    expect(said + everythingLogged()).not.toContain(
      Buffer.from(`${project.username}:${project.token}`).toString('base64').slice(0, -4),
    );
  });

  it('is not sent again for a moment after a refusal, and then it is', async () => {
    const vcs = withoutServers();
    const refused = { username: USER, token: 'ATATT-not-yet' };
    await ask(vcs, refused).expect(401);
    const again = await ask(vcs, refused, `${REPO}/branches`).expect(401);
    expect(JSON.stringify(again.body)).toContain('has expired');
    expect(context.bitbucket.requests).toHaveLength(1);
    // Others are not held up.
    await ask(vcs, { username: USER, token: API_TOKEN }).expect(200);

    context.bitbucket.apiTokens.set(refused.token, USER);
    for (let status = 401; status !== 200;)
      status = (await ask(vcs, refused, `${REPO}?${Math.random()}`)).status;
  });

  it('lacks scopes: 403 names those that are missing', async () => {
    context.bitbucket.disturb({
      path: /widgets$/,
      status: 403,
      body: {
        type: 'error',
        error: {
          message: 'Your credentials lack one or more required privilege scopes.',
          detail: {
            required: ['read:repository:bitbucket', 'read:pullrequest:bitbucket'],
            granted: ['read:repository:bitbucket'],
          },
        },
      },
    });
    const answer = await ask(withoutServers(), { username: USER, token: API_TOKEN });
    expect([answer.status, answer.body.id]).toEqual([403, 11]);
    expect(JSON.stringify(answer.body)).toContain(
      'the API token lacks read:pullrequest:bitbucket: ',
    );
  });
});

describe('the repositories of a VCS project', () => {
  it('are those of all workspaces of the user of an API token', async () => {
    const answer = await ask(
      withoutServers(),
      { username: USER, token: API_TOKEN },
      '/vcs/bbc/repos',
    );
    expect(answer.body).toMatchObject([{ fullname: 'acme/widgets' }]);
  });

  it('are those of the workspace that the url names: an access token has no user to ask', async () => {
    const vcs = withoutServers();
    const refused = await ask(vcs, { token: ACCESS_TOKEN }, '/vcs/bbc/repos');
    expect(refused.status).toBe(401);
    expect(JSON.stringify(refused.body)).toContain('https://bitbucket.org/WORKSPACE');

    // The refusal was about the question, not about the token.
    await ask(vcs, { token: ACCESS_TOKEN }).expect(200);
    const url = 'https://bitbucket.org/acme/';
    const answer = await ask(vcs, { token: ACCESS_TOKEN, url }, '/vcs/bbc/repos');
    expect(answer.body).toMatchObject([{ fullname: 'acme/widgets' }]);
    const { path, query } = context.bitbucket.requests.at(-1) ?? {};
    expect([path, query?.get('role')]).toEqual(['/repositories/acme', null]);
  });

  it('are the one that the url names', async () => {
    const url = 'https://bitbucket.org/acme/widgets';
    const answer = await ask(withoutServers(), { token: ACCESS_TOKEN, url }, '/vcs/bbc/repos');
    expect(answer.body).toMatchObject([{ fullname: 'acme/widgets' }]);
    expect(context.bitbucket.requests.map(({ path }) => path)).toEqual([
      '/repositories/acme/widgets',
    ]);
  });
});

describe('reads and calls of VCS projects', () => {
  it('are shared by one credential alone', async () => {
    const vcs = withoutServers();
    context.bitbucket.apiTokens.set('ATATT-another', USER);
    const path = `${REPO}/forks`;
    await ask(vcs, { username: USER, token: API_TOKEN }, path).expect(200);
    await ask(vcs, { username: USER, token: API_TOKEN }, path).expect(200);
    expect(context.bitbucket.requests).toHaveLength(1);
    await ask(vcs, { username: USER, token: 'ATATT-another' }, path).expect(200);
    await ask(vcs, { username: USER, token: 'ATATT-unknown' }, path).expect(401);
    expect(context.bitbucket.requests).toHaveLength(3);
  });

  it('never answer with branches or tags of a moment before: the API removes what is not listed', async () => {
    const vcs = withoutServers();
    const project = { username: USER, token: API_TOKEN };
    for (const [what, listed] of [
      ['branches', () => context.widgets.branches.size],
      ['tags', () => context.widgets.tags.length],
    ] as const) {
      const before = await ask(vcs, project, `${REPO}/${what}`).expect(200);
      const hash = String(context.widgets.commits[0]?.hash);
      context.widgets.branches.set(`with ${what}`, hash);
      context.widgets.tags.push({ name: `with ${what}`, message: null, hash });
      const after = await ask(vcs, project, `${REPO}/${what}`).expect(200);
      expect(after.body).toHaveLength(listed());
      expect(after.body.length).toBeGreaterThan(before.body.length);
    }
  });

  it('are counted by user, whatever the token, and by access token', async () => {
    const vcs = withoutServers();
    context.bitbucket.apiTokens.set('ATATT-another', USER);
    await ask(vcs, { username: USER, token: API_TOKEN }).expect(200);
    await ask(vcs, { username: USER.toUpperCase(), token: 'x' }).expect(401);
    await ask(vcs, { username: USER, token: 'ATATT-another' }).expect(200);
    await ask(vcs, { token: ACCESS_TOKEN }).expect(200);
    await vcs.app.close(1_000);
    const counted = await vcs.redis.keys(
      vcsKeys.calls({ apiUrl: '', clientId: '' }).slice(0, -32) + '*',
    );
    const sums = await Promise.all(counted.map((key) => vcs.redis.hvals(key)));
    expect(
      sums.map((minutes) => minutes.reduce((sum, one) => sum + Number(one), 0)).sort(),
    ).toEqual([1, 3]);
  });

  it('show as one line and one label, however many credentials there are', async () => {
    const vcs = withoutServers();
    for (const token of ['a', 'b', 'c'])
      await ask(vcs, { username: 'x-token-auth', token: `ATCTT-${token}` });
    expect(await vcs.app.lines()).toEqual([
      {
        component: 'Bitbucket Calls VCS Projects',
        type: '',
        status: 'OK',
        value: '3 credentials, the busiest spent 1 in the last hour',
      },
    ]);
  });

  it('keep what is left for runs, by the limit that Bitbucket tells an access token', async () => {
    const vcs = withoutServers();
    const headers = { 'X-RateLimit-Limit': '10', 'X-RateLimit-Resource': 'api' };
    context.bitbucket.disturb({
      path: /tags/,
      status: 200,
      headers,
      body: { values: [] },
      times: 9,
    });
    const limited = { token: ACCESS_TOKEN };
    for (let page = 0; page < 9; page += 1)
      await ask(vcs, limited, `${REPO}/commits/${'0'.repeat(39)}${page}`);
    await ask(vcs, limited, `${REPO}/tags`).expect(200);
    const refused = await ask(vcs, limited, `${REPO}/forks`).expect(429);
    expect(JSON.stringify(refused.body)).toContain(
      'of the 10 calls that Bitbucket grants this credential',
    );
    await ask(vcs, limited).expect(200);
  });
});
