import { hashOf, newRepository, type StandInPullRequest } from '../../test/stand-in-data.fixture';
import {
  useTestContext,
  type VcsInstance,
  vcsProjectHeaders,
} from '../../test/test-context.fixture';

const PULL_REQUESTS = '/vcs/bitbucketcloud/repos/acme/widgets/pullrequests';

const context = useTestContext();
let vcs: VcsInstance;

beforeEach(() => {
  vcs = context.instance();
});

const get = (path: string) => vcs.call('get', path, context.pair);
const post = (path: string, body: unknown, instance = vcs) =>
  instance
    .call('post', path, context.pair)
    .set('content-type', 'application/json')
    .send(JSON.stringify(body));

function addPullRequest(id: number, change: Partial<StandInPullRequest> = {}): StandInPullRequest {
  const { commits } = context.widgets;
  const added: StandInPullRequest = {
    id,
    title: `PR ${id}`,
    state: 'OPEN',
    source: { repository: 'acme/widgets', branch: 'feat/one', hash: String(commits[1]?.hash) },
    destination: { repository: 'acme/widgets', branch: 'main', hash: String(commits[0]?.hash) },
    comments: [],
    ...change,
  };
  context.widgets.pullRequests.push(added);
  return added;
}

describe('pull requests', () => {
  it('carry hashes in full, since CDS compares them', async () => {
    const { source, destination } = addPullRequest(7);
    const answer = await get(PULL_REQUESTS);
    const nobody = { name: '', displayName: '', emailAddress: '', avatar: '', slug: '', id: '' };
    const side = (repo: string, branch: string, hash: string) => ({
      repo,
      branch: {
        id: branch,
        display_id: branch,
        latest_commit: hash,
        default: false,
        parents: null,
      },
      commit: {
        id: hash,
        author: nobody,
        committer: nobody,
        verified: false,
        signature: '',
        key_id: '',
        authorTimestamp: 0,
        message: '',
        url: '',
      },
      clone_url: '',
    });

    expect(answer.body).toEqual([
      {
        id: 7,
        url: 'https://bitbucket.org/acme/widgets/pull-requests/7',
        user: {
          name: 'ada',
          displayName: 'ada Example',
          emailAddress: '',
          avatar: 'https://avatar.example/ada.png',
          slug: '',
          id: '{ada}',
        },
        change_id: '',
        revision: '',
        updated: '2026-10-05T10:11:12.12Z',
        merge_by: nobody,
        state: '',
        head: side('acme/widgets', 'feat/one', source.hash),
        base: side('acme/widgets', 'main', destination.hash),
        title: '',
        merged: false,
        closed: false,
      },
    ]);
  });

  it('of forks carry the hash of the fork', async () => {
    const fork = newRepository('bob', 'widgets', 1);
    context.bitbucket.repositories.push(fork);
    const hash = String(fork.commits[0]?.hash);
    addPullRequest(1, { source: { repository: 'bob/widgets', branch: 'main', hash } });
    const [first] = (await get(PULL_REQUESTS)).body;

    expect(first.head.repo).toBe('bob/widgets');
    expect(first.head.branch.latest_commit).toBe(hash);
  });

  it('whose fork is gone are still listed', async () => {
    addPullRequest(1, { source: { repository: null, branch: 'x', hash: hashOf('gone') } });
    const [first] = (await get(PULL_REQUESTS)).body;

    expect(first.head.repo).toBe('');
    expect(first.head.branch.latest_commit).toBe(hashOf('gone').slice(0, 12));
  });

  it('are listed over all pages, at most 50 a page', async () => {
    for (let id = 1; id <= 120; id += 1) addPullRequest(id);
    addPullRequest(121, { state: 'MERGED' });
    const answer = await get(PULL_REQUESTS);

    expect(answer.body).toHaveLength(120);
    const pages = context.bitbucket.requests.filter((one) => one.path.endsWith('/pullrequests'));
    expect(pages).toHaveLength(3);
  });

  it.each([
    ['', [1]],
    ['?state=open', [1]],
    ['?state=merged', [2]],
    ['?state=closed', [3, 4]],
    ['?state=all', [1, 2, 3, 4]],
  ])('are listed by state: %s', async (query, ids) => {
    addPullRequest(1);
    addPullRequest(2, { state: 'MERGED' });
    addPullRequest(3, { state: 'DECLINED' });
    addPullRequest(4, { state: 'SUPERSEDED' });
    const { body } = await get(`${PULL_REQUESTS}${query}`);
    expect(body.map(({ id }: { id: number }) => id).toSorted()).toEqual(ids);
  });

  it('of an unknown state are 400', async () => {
    for (const state of ['OPEN,MERGED', 'constructor', 'none']) {
      const answer = await get(`${PULL_REQUESTS}?state=${state}`);
      expect(answer.status).toBe(400);
      expect(answer.body.message).toContain('open, merged, closed, all');
    }
  });

  it('have whole refs as ids of branches for a VCS project', async () => {
    addPullRequest(7);
    const { body } = await get(PULL_REQUESTS).set(vcsProjectHeaders(context));
    expect(body[0].head.branch).toMatchObject({
      id: 'refs/heads/feat/one',
      display_id: 'feat/one',
    });
  });

  it.each([
    ['OPEN', false, false],
    ['MERGED', true, false],
    ['DECLINED', false, true],
    ['SUPERSEDED', false, true],
  ] as const)('%s: merged %s, closed %s', async (state, merged, closed) => {
    addPullRequest(5, { state });
    expect((await get(`${PULL_REQUESTS}/5`)).body).toMatchObject({ id: 5, merged, closed });
  });

  it('that are unknown are 404 with id 45', async () => {
    const answer = await get(`${PULL_REQUESTS}/99`);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({
      id: 45,
      message: 'repository not found (from: (bitbucketcloud_error) no PR)',
    });
  });

  it.each(['xx', '0', '-1', '1.5', '1e3', '99999999999999999999'])(
    'have numbers: %s is 400',
    async (id) => {
      const answer = await get(`${PULL_REQUESTS}/${id}`);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ id: 74, message: 'wrong request' });
    },
  );
});

describe('creating a pull request', () => {
  const end = (branch: string, repo = '') => ({
    repo,
    branch: { id: '', display_id: branch, latest_commit: '', default: false, parents: null },
  });

  it('names the branches', async () => {
    context.widgets.branches.set('feat/one', String(context.widgets.commits[1]?.hash));
    const answer = await post(PULL_REQUESTS, {
      title: 'Do it',
      head: end('feat/one'),
      base: end('main'),
    });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      id: 1,
      head: { branch: { id: 'feat/one' }, repo: 'acme/widgets' },
    });
    expect(context.bitbucket.requests[0]).toMatchObject({
      method: 'POST',
      body: {
        title: 'Do it',
        source: { branch: { name: 'feat/one' } },
        destination: { branch: { name: 'main' } },
      },
    });
  });

  it('from a fork names the fork', async () => {
    context.widgets.branches.set('x', String(context.widgets.commits[0]?.hash));
    await post(PULL_REQUESTS, { title: 'Fork', head: end('x', 'bob/widgets'), base: end('') });

    expect(context.bitbucket.requests[0]?.body).toEqual({
      title: 'Fork',
      source: { branch: { name: 'x' }, repository: { full_name: 'bob/widgets' } },
    });
  });

  it.each([
    ['without a title', { title: '', head: end('x'), base: end('main') }],
    ['without a source', { title: 'T', head: end(''), base: end('main') }],
    ['that is no object', 'T'],
  ])('%s is 400 and never sent', async (_, body) => {
    const answer = await post(PULL_REQUESTS, body);
    expect(answer.status).toBe(400);
    expect(answer.body.id).toBe(74);
    expect(context.bitbucket.requests).toHaveLength(0);
  });

  it('that Bitbucket refuses says why', async () => {
    const answer = await post(PULL_REQUESTS, { title: 'T', head: end('nope'), base: end('main') });
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('source: branch not found');
  });
});

describe('commenting', () => {
  it('shortens what is too long for Bitbucket, and says so in it', async () => {
    const pullRequest = addPullRequest(7);
    expect((await post(`${PULL_REQUESTS}/7/comments`, '𝒂'.repeat(30_000))).status).toBe(204);
    const [comment = ''] = pullRequest.comments;
    expect(comment.length).toBeLessThan(32_768);
    expect(comment).toMatch(/^(𝒂)+\n\n… \(the comment is too long/u);
  });

  it('takes a bare JSON string', async () => {
    const pullRequest = addPullRequest(7);
    const answer = await post(`${PULL_REQUESTS}/7/comments`, 'Build **failed**');

    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(pullRequest.comments).toEqual(['Build **failed**']);
  });

  it('by id takes what CDS 0.42 sends', async () => {
    const pullRequest = addPullRequest(7);
    const comment = { id: 7, revision: '', message: 'Well done' };
    expect((await post(`${PULL_REQUESTS}/comments`, comment)).status).toBe(204);
    expect(pullRequest.comments).toEqual(['Well done']);
  });

  it('by revision finds the open pull request whose head it is', async () => {
    const revision = String(context.widgets.commits[1]?.hash);
    addPullRequest(1, { state: 'DECLINED' });
    addPullRequest(2, {
      source: {
        repository: 'acme/widgets',
        branch: 'other',
        hash: String(context.widgets.commits[2]?.hash),
      },
    });
    const wanted = addPullRequest(3);
    await post(`${PULL_REQUESTS}/comments`, { id: 0, revision, message: 'Found' });

    expect(wanted.comments).toEqual(['Found']);
    expect(context.widgets.pullRequests.flatMap((one) => one.comments)).toEqual(['Found']);
  });

  it('on a commit without an open pull request is 404', async () => {
    const comment = { id: 0, revision: hashOf('nowhere'), message: 'Lost' };
    const answer = await post(`${PULL_REQUESTS}/comments`, comment);
    expect(answer.status).toBe(404);
    expect(answer.body.message).toContain('no open pull request');
  });

  it.each([
    ['7/comments', { message: 'no bare string' }],
    ['7/comments', ''],
    ['x/comments', 'text'],
    ['comments', { id: 0, revision: 'main', message: 'text' }],
    ['comments', { id: 7, message: '' }],
  ])('is checked: %s %j is 400', async (path, body) => {
    addPullRequest(7);
    expect((await post(`${PULL_REQUESTS}/${path}`, body)).status).toBe(400);
  });

  it('is silent when statuses are disabled', async () => {
    const pullRequest = addPullRequest(7);
    const silent = context.instance({ status: { disable: true } });
    const answers = [
      await post(`${PULL_REQUESTS}/7/comments`, 'text', silent),
      await post(`${PULL_REQUESTS}/comments`, { id: 7, message: 'text' }, silent),
    ];

    expect(answers.map((answer) => answer.status)).toEqual([204, 204]);
    expect(pullRequest.comments).toEqual([]);
    expect(context.bitbucket.requests).toHaveLength(0);
  });
});

describe('the pull request of a commit', () => {
  const search = (query: string) =>
    get(`/vcs/bitbucketcloud/repos/acme/widgets/search/pullrequest${query}`);

  it.each([40, 12])('is found by %i digits of the hash', async (digits) => {
    const { source } = addPullRequest(3);
    const answer = await search(`?commit=${source.hash.slice(0, digits)}&state=open`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id: 3, head: { branch: { latest_commit: source.hash } } });
  });

  it('is found in the state that is asked for', async () => {
    const { source } = addPullRequest(3, { state: 'MERGED' });
    expect((await search(`?commit=${source.hash}&state=merged`)).body).toMatchObject({ id: 3 });
    expect((await search(`?commit=${source.hash}`)).status).toBe(404);
  });

  it('is 400 for what is no hash, and 404 for the hash of none', async () => {
    expect((await search('?commit=main')).status).toBe(400);
    expect((await search('')).status).toBe(400);
    expect((await search(`?commit=${hashOf('nowhere')}`)).status).toBe(404);
  });
});

it('a blank comment, which CDS sends for a run with nothing to say, is not sent', async () => {
  const pullRequest = addPullRequest(7);
  const comment = { id: 7, change_id: '', revision: '', message: '\n' };
  expect((await post(`${PULL_REQUESTS}/comments`, comment)).status).toBe(204);
  expect(pullRequest.comments).toEqual([]);
});
