import { waitFor, provesNothingHappensFor } from '@cds/testing';
import { BitbucketError, type BitbucketPart, type NewStatus } from '.';
import { context, fastClient, tokenSource } from '../test/client.fixture';
import { type FakeBitbucket, refuse, startFakeBitbucket } from '../test/fake-bitbucket.fixture';
import { depthOf } from '../test/rounds.fixture';
import {
  branchValue,
  commitValue,
  hashOf,
  pullRequestValue,
  repositoryValue,
  shortOf,
} from '../test/values.fixture';

const repo = { workspace: 'ws', slug: 'repo' };
const at = 'repositories|ws|repo';
const ODD = ['feature/x y#1', 'ünï/çødé', 'a%2Fb', 'q?x=1&y', '{braces}', '-"$;><&#_=@!|.,/t'];

let bitbucket: FakeBitbucket;
beforeEach(async () => {
  bitbucket = await startFakeBitbucket();
});
afterEach(() => bitbucket.close());

const client = (more = {}) => fastClient(bitbucket.apiUrl, more);
const key = (...segments: string[]) => [at, ...segments].join('|');
const paths = () => bitbucket.requests.map((request) => `${request.method} ${request.rawPath}`);

describe('repositories', () => {
  const workspaces = (...slugs: string[]) =>
    bitbucket.lists.set('user|workspaces', {
      values: slugs.map((slug) => ({
        type: 'workspace_access',
        administrator: false,
        workspace: { type: 'workspace_base', slug, uuid: `{${slug}}` },
      })),
    });

  it('lists the workspaces', async () => {
    workspaces('one', 'two');
    expect(await client().listWorkspaces(context())).toEqual([
      { slug: 'one', uuid: '{one}' },
      { slug: 'two', uuid: '{two}' },
    ]);
  });

  it('lists 1,000 of ten workspaces with no call waiting but for the page before it', async () => {
    const slugs = Array.from({ length: 10 }, (_, i) => `ws${i}`);
    workspaces(...slugs);
    for (const [i, slug] of slugs.entries()) {
      // 55, 65 … 145: 1,000 in all, five of them on two pages.
      const values = Array.from({ length: 55 + i * 10 }, (_, n) =>
        repositoryValue(`${slug}/r${n}`),
      );
      bitbucket.lists.set(`repositories|${slug}`, { values });
    }
    const depth = await depthOf(bitbucket, async () => {
      expect(await client().listRepositories(context())).toHaveLength(1_000);
    });
    expect(bitbucket.requests).toHaveLength(1 + 5 + 2 * 5);
    expect(depth).toBe(3);
  });

  it('lists those of every workspace, at most sixteen side by side, in order', async () => {
    const slugs = Array.from({ length: 20 }, (_, i) => `ws${i}`);
    workspaces(...slugs);
    for (const slug of slugs) {
      bitbucket.lists.set(`repositories|${slug}`, { values: [repositoryValue(`${slug}/r`)] });
    }
    let open = 0;
    let most = 0;
    const slowly = async () => {
      open += 1;
      most = Math.max(most, open);
      await waitFor(() => most >= 16, { what: 'sixteen at once' });
      await provesNothingHappensFor(50);
      open -= 1;
      return undefined;
    };
    bitbucket.scripted.push(() => undefined, ...slugs.map(() => slowly));
    const got = await client().listRepositories(context());
    expect(got.map((one) => one.fullName)).toEqual(slugs.map((slug) => `${slug}/r`));
    expect(most).toBe(16);
    expect(bitbucket.requests[1]?.query.get('role')).toBe('member');
    expect(got[0]).toEqual({
      uuid: '{r}',
      name: 'Display of r',
      slug: 'r',
      fullName: 'ws0/r',
      htmlUrl: 'https://bitbucket.org/ws0/r',
      cloneHttps: 'https://bitbucket.org/ws0/r.git',
      cloneSsh: 'git@bitbucket.org:ws0/r.git',
      mainBranch: 'main',
    });
  });

  it('lists those of the part that it is for, without asking for workspaces', async () => {
    bitbucket.lists.set('repositories|ws', { values: [repositoryValue('ws/r')] });
    bitbucket.objects.set('repositories|ws|r', repositoryValue('ws/r'));
    const list = async (part: BitbucketPart, user?: string) => {
      const tokens = { ...tokenSource(), user };
      if (user === undefined) {
        const got = await client({ part, tokens }).listRepositories(context());
        expect(got.map((one) => one.fullName)).toEqual(['ws/r']);
      } else
        await client({ part, tokens })
          .listRepositories(context())
          .catch(() => undefined);
      const { rawPath, query } = bitbucket.requests.at(-1) ?? {};
      return [rawPath, query?.get('role'), query?.get('q')];
    };
    expect(await list({ workspace: 'ws' })).toEqual(['/2.0/repositories/ws', null, null]);
    // A user is a member of what CDS may write to; an access token is of nothing.
    expect(await list({ workspace: 'ws' }, 'jdoe@example.com')).toEqual([
      '/2.0/repositories/ws',
      'member',
      null,
    ]);
    expect(await list({ workspace: 'ws', project: 'KEY' })).toEqual([
      '/2.0/repositories/ws',
      null,
      'project.key="KEY"',
    ]);
    expect(await list({ workspace: 'ws', repository: 'r' })).toEqual([
      '/2.0/repositories/ws/r',
      null,
      null,
    ]);
    expect(paths().filter((path) => path.includes('/user'))).toEqual([]);
  });

  it('leaves out a workspace that refuses, with a warning', async () => {
    workspaces('closed', 'open', 'gone');
    bitbucket.lists.set('repositories|open', { values: [repositoryValue('open/r')] });
    bitbucket.scripted.push(
      () => undefined,
      ...['closed', 'open', 'gone'].map(
        () => (request: { rawPath: string }) =>
          request.rawPath.endsWith('/closed') ? refuse(403, 'Forbidden') : undefined,
      ),
    );
    const warnings: object[] = [];
    const quiet = () => undefined;
    const warn = (obj: object) => warnings.push(obj);
    const logger = { debug: quiet, info: quiet, error: quiet, warn };
    const got = await client({ logger }).listRepositories(context());
    expect(got.map((one) => one.fullName)).toEqual(['open/r']);
    expect(warnings).toHaveLength(2);
    expect(warnings).toContainEqual({
      workspace: 'closed',
      status: 403,
      bitbucketMessage: 'Forbidden',
    });
  });

  it('says so when every workspace refuses, or one fails otherwise', async () => {
    workspaces('closed');
    await expect(client().listRepositories(context())).rejects.toMatchObject({ status: 404 });
    workspaces('a', 'b');
    bitbucket.lists.set('repositories|a', { values: [] });
    bitbucket.scripted.push(
      () => undefined,
      () => refuse(410, 'CHANGE-2770 - Functionality has been deprecated'),
    );
    await expect(client().listRepositories(context())).rejects.toMatchObject({ status: 410 });
  });

  it('reads one, also an empty one, and forks', async () => {
    bitbucket.objects.set(at, { ...repositoryValue('ws/repo'), mainbranch: null, name: '' });
    bitbucket.lists.set(key('forks'), { values: [repositoryValue('me/fork')] });
    const one = await client().getRepository(repo, context());
    expect(one).toMatchObject({ name: 'repo', cloneSsh: 'git@bitbucket.org:ws/repo.git' });
    expect(one.mainBranch).toBeUndefined();
    expect((await client().listForks(repo, context()))[0]?.fullName).toBe('me/fork');
  });
});

describe('refs', () => {
  it('lists 1,000 branches in ten calls', async () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `b/${i}`);
    bitbucket.lists.set(key('refs', 'branches'), { values: names.map(branchValue) });
    expect(await client().listBranches(repo, context())).toHaveLength(1_000);
    expect(bitbucket.requests).toHaveLength(10);
  });

  it.each(ODD)('finds the branch and the tag %j', async (name) => {
    bitbucket.objects.set(key('refs', 'branches', name), branchValue(name));
    bitbucket.objects.set(key('refs', 'tags', name), {
      name,
      message: null,
      date: null,
      tagger: null,
      target: { hash: hashOf(name), author: { raw: 'Ada <ada@example.org>' } },
    });
    expect((await client().getBranch(repo, name, context())).hash).toBe(hashOf(name));
    expect(await client().getTag(repo, name, context())).toEqual({
      name,
      message: '',
      hash: hashOf(name),
      author: { raw: 'Ada <ada@example.org>', displayName: 'Ada', email: 'ada@example.org' },
    });
    expect(bitbucket.requests[0]?.rawPath.split('/')).toHaveLength(8);
  });

  it('lists tags with their tagger', async () => {
    bitbucket.lists.set(key('refs', 'tags'), {
      values: [
        {
          name: 'v1',
          message: 'first\n',
          date: '2026-01-01T00:00:00+00:00',
          tagger: { raw: 'Ada <ada@example.org>' },
          target: { hash: hashOf('v1'), author: { raw: 'Bob <bob@example.org>' } },
        },
      ],
    });
    expect(await client().listTags(repo, context())).toEqual([
      {
        name: 'v1',
        message: 'first\n',
        date: '2026-01-01T00:00:00+00:00',
        hash: hashOf('v1'),
        tagger: { raw: 'Ada <ada@example.org>', displayName: 'Ada', email: 'ada@example.org' },
        author: { raw: 'Bob <bob@example.org>', displayName: 'Bob', email: 'bob@example.org' },
      },
    ]);
  });
});

describe('refs', () => {
  it('are branches and tags in one list, each with its commit', async () => {
    const value = (type: string, name: string) => ({
      type,
      name,
      target: {
        hash: hashOf(name),
        date: '2026-01-02T00:00:00+00:00',
        message: 'change\n',
        author: { raw: 'Bob <bob@example.org>' },
        links: { html: { href: `https://bitbucket.org/acme/web/commits/${hashOf(name)}` } },
      },
    });
    bitbucket.lists.set(key('refs'), {
      values: [value('branch', 'feat/one'), value('tag', 'v1')],
    });

    const commit = (name: string) => ({
      hash: hashOf(name),
      date: '2026-01-02T00:00:00+00:00',
      message: 'change\n',
      author: { raw: 'Bob <bob@example.org>', displayName: 'Bob', email: 'bob@example.org' },
      htmlUrl: `https://bitbucket.org/acme/web/commits/${hashOf(name)}`,
    });
    expect(await client().listRefs(repo, context())).toEqual([
      { type: 'branch', name: 'feat/one', commit: commit('feat/one') },
      { type: 'tag', name: 'v1', commit: commit('v1') },
    ]);
  });
});

describe('commits', () => {
  const ada = {
    raw: 'Ada L <ada@example.org>',
    displayName: 'Ada Lovelace',
    nickname: 'ada',
    avatarUrl: 'https://avatar.example/ada',
    email: 'ada@example.org',
  };

  it('lists a range by the query, never by the path, and no more than asked for', async () => {
    bitbucket.lists.set(key('commits'), {
      values: Array.from({ length: 300 }, (_, i) => commitValue(`c${i}`)),
    });
    const o = { include: ['feature/a b', ''], exclude: ['v1', 'main'], limit: 130 };
    const got = await client().listCommits(repo, o, context());
    expect(got).toHaveLength(130);
    expect(got[129]?.hash).toBe(hashOf('c129'));
    expect(got[0]?.author).toEqual(ada);
    const [first] = bitbucket.requests;
    expect(first?.rawPath).toBe('/2.0/repositories/ws/repo/commits');
    expect(first?.query.getAll('include')).toEqual(['feature/a b']);
    expect(first?.query.getAll('exclude')).toEqual(['v1', 'main']);
    expect(bitbucket.requests).toHaveLength(2);
  });

  it('asks for no smaller page than Bitbucket gives, and for none at all for nothing', async () => {
    bitbucket.lists.set(key('commits'), { values: [commitValue('a'), commitValue('b')] });
    const none = { include: [], exclude: [] };
    expect(await client().listCommits(repo, { ...none, limit: 1 }, context())).toHaveLength(1);
    expect(await client().listCommits(repo, { ...none, limit: 0 }, context())).toEqual([]);
    expect(bitbucket.requests).toHaveLength(1);
  });

  it('reads one by hash', async () => {
    bitbucket.objects.set(key('commit', hashOf('c')), commitValue('c'));
    expect(await client().getCommit(repo, hashOf('c'), context())).toEqual({
      hash: hashOf('c'),
      date: '2026-11-20T10:11:12+00:00',
      message: 'c\n',
      htmlUrl: `https://bitbucket.org/ws/repo/commits/${hashOf('c')}`,
      author: ada,
      parents: [hashOf('c^')],
    });
    expect(bitbucket.requests).toHaveLength(1);
  });

  it('resolves a tag, then a branch, that holds a slash', async () => {
    bitbucket.objects.set(key('refs', 'branches', 'feat/b'), branchValue('feat/b'));
    bitbucket.objects.set(key('commit', hashOf('feat/b')), commitValue('feat/b'));
    bitbucket.objects.set(key('refs', 'tags', 'rel/1'), {
      name: 'rel/1',
      target: { hash: hashOf('rel/1') },
    });
    bitbucket.lists.set(key('commit', hashOf('rel/1'), 'statuses'), { values: [] });
    const commit = await client().getCommit(repo, 'feat/b', context());
    expect(commit.hash).toBe(hashOf('feat/b'));
    expect(await client().listStatuses(repo, 'rel/1', context())).toEqual([]);
    expect(paths()).toEqual([
      'GET /2.0/repositories/ws/repo/refs/tags/feat%2Fb',
      'GET /2.0/repositories/ws/repo/refs/branches/feat%2Fb',
      `GET /2.0/repositories/ws/repo/commit/${hashOf('feat/b')}`,
      'GET /2.0/repositories/ws/repo/refs/tags/rel%2F1',
      `GET /2.0/repositories/ws/repo/commit/${hashOf('rel/1')}/statuses`,
    ]);
    await expect(client().getCommit(repo, 'no/such', context())).rejects.toMatchObject({
      status: 404,
    });
  });

  it('takes any author', async () => {
    const authors = [
      undefined,
      null,
      {},
      { raw: 'no mail' },
      { raw: 'A <b>', user: null },
      { raw: '<only@mail>', user: { display_name: '', username: 'team', links: {} } },
    ];
    const commits = authors.map((author, index) => ({ hash: hashOf(`x${index}`), author }));
    bitbucket.lists.set(key('commits'), { values: commits });
    const o = { include: [], exclude: [], limit: 100 };
    const got = await client().listCommits(repo, o, context());
    const nobody = { raw: '', displayName: '', email: '' };
    expect(got.map((commit) => commit.author)).toEqual([
      nobody,
      nobody,
      nobody,
      { raw: 'no mail', displayName: 'no mail', email: '' },
      { raw: 'A <b>', displayName: 'A', email: 'b' },
      { raw: '<only@mail>', displayName: '', username: 'team', email: 'only@mail' },
    ]);
  });
});

describe('build statuses', () => {
  const status = {
    key: 'k'.repeat(40),
    state: 'INPROGRESS',
    url: 'https://ui.example/run/1',
    name: 'CDS/P-w-n',
    description: 'n: Building',
  } as const;

  it('tells a new one from an overwritten one', async () => {
    const bodies: object[] = [];
    bitbucket.writes.set(`POST ${key('commit', hashOf('c'), 'statuses', 'build')}`, (body) => {
      bodies.push(body);
      return { status: bodies.length === 1 ? 201 : 200, body };
    });
    const withBranch = { ...status, refname: 'feature/x' };
    const post = (s: NewStatus) => client().postStatus(repo, hashOf('c'), s, context());
    expect(await post(withBranch)).toEqual({ created: true });
    expect(await post(status)).toEqual({ created: false });
    expect(bodies).toEqual([withBranch, status]);
  });

  it.each(['k'.repeat(41), ''])('refuses the key %j itself', async (tooLong) => {
    const call = client().postStatus(repo, hashOf('c'), { ...status, key: tooLong }, context());
    await expect(call).rejects.toThrow(BitbucketError);
    await expect(call).rejects.toMatchObject({ status: 400 });
    expect(bitbucket.requests).toHaveLength(0);
  });

  it('lists them', async () => {
    bitbucket.lists.set(key('commit', hashOf('c'), 'statuses'), {
      values: [
        { ...status, refname: null, description: null, created_on: 'then', updated_on: 'now' },
      ],
    });
    expect(await client().listStatuses(repo, hashOf('c'), context())).toEqual([
      { ...status, description: '', createdOn: 'then', updatedOn: 'now' },
    ]);
  });

  it('lists them also when another tool left one without a key', async () => {
    bitbucket.lists.set(key('commit', hashOf('c'), 'statuses'), {
      values: [{ name: 'other', key: null, state: null }, status],
    });
    const listed = await client().listStatuses(repo, hashOf('c'), context());
    expect(listed.map(({ name }) => name)).toEqual(['other', status.name]);
  });
});

describe('webhooks', () => {
  const uuid = '{202cf34e-7ccf-44b7-ba6b-8827a14d5324}';
  const hook = {
    url: 'https://cds.example/webhook/1',
    description: 'CDS webhook - ',
    events: ['repo:push'],
    active: true,
  };
  const secret = 'a'.repeat(64);
  const settings = { ...hook, secret };

  it('creates, lists, updates and deletes, and what Bitbucket has is without the secret', async () => {
    const bodies: object[] = [];
    const answer = (status: number) => (body: object) => {
      bodies.push(body);
      return { status, body: { ...body, uuid, secret_set: true } };
    };
    bitbucket.writes.set(`POST ${key('hooks')}`, answer(201));
    bitbucket.writes.set(`PUT ${key('hooks', uuid)}`, answer(200));
    bitbucket.writes.set(`DELETE ${key('hooks', uuid)}`, () => ({ status: 204 }));
    bitbucket.lists.set(key('hooks'), { values: [{ uuid, ...hook, description: null }] });
    const created = await client().createHook(repo, settings, context());
    expect(created).toEqual({ uuid, ...hook, secretSet: true });
    const changed = { ...hook, events: ['repo:push', 'pullrequest:created'] };
    const updated = await client().updateHook(repo, uuid, { ...changed, secret }, context());
    expect(updated).toEqual({ uuid, ...changed, secretSet: true });
    expect(await client().listHooks(repo, context())).toEqual([{ uuid, ...hook, description: '' }]);
    await client().deleteHook(repo, uuid, context());
    expect(bodies).toEqual([settings, { ...changed, secret }]);
    expect(paths()[3]).toBe(
      'DELETE /2.0/repositories/ws/repo/hooks/%7B202cf34e-7ccf-44b7-ba6b-8827a14d5324%7D',
    );
  });

  it('takes a hook that is gone as deleted, but not one that may not be deleted', async () => {
    expect(await client().deleteHook(repo, uuid, context())).toEqual({ found: false });
    bitbucket.scripted.push(() => refuse(403, 'Forbidden'));
    await expect(client().deleteHook(repo, uuid, context())).rejects.toMatchObject({
      status: 403,
    });
  });
});

describe('pull requests', () => {
  const list = (values: object[]) =>
    bitbucket.lists.set(key('pullrequests'), { values, maxPagelen: 50 });
  const commit = (text: string, where = at) =>
    bitbucket.objects.set([where, 'commit', shortOf(text)].join('|'), commitValue(text));

  it('reads one, with hashes in full, asked for once in the life of the process', async () => {
    commit('main');
    commit('feature/x');
    const value = pullRequestValue({ id: 7, source: 'feature/x' });
    bitbucket.objects.set(key('pullrequests', '7'), value);
    expect(await client().getPullRequest(repo, 7, context())).toEqual({
      id: 7,
      title: 'PR 7',
      state: 'OPEN',
      htmlUrl: 'https://bitbucket.org/ws/repo/pull-requests/7',
      author: { raw: '', displayName: 'Ada Lovelace', nickname: 'ada', email: '' },
      updatedOn: '',
      source: { repository: 'ws/repo', branch: 'feature/x', hash: hashOf('feature/x') },
      destination: { repository: 'ws/repo', branch: 'main', hash: hashOf('main') },
    });
    expect(bitbucket.requests).toHaveLength(3);
    await client().getPullRequest(repo, 7, context());
    expect(bitbucket.requests).toHaveLength(4);
  });

  it('knows the hash of a branch or a commit that was read before', async () => {
    bitbucket.objects.set(key('refs', 'branches', 'read'), branchValue('read'));
    bitbucket.objects.set(key('commit', hashOf('main')), commitValue('main'));
    const value = pullRequestValue({ id: 8, source: 'read' });
    bitbucket.objects.set(key('pullrequests', '8'), value);
    await client().getBranch(repo, 'read', context());
    await client().getCommit(repo, hashOf('main'), context());
    const { source, destination } = await client().getPullRequest(repo, 8, context());
    expect([source.hash, destination.hash]).toEqual([hashOf('read'), hashOf('main')]);
    expect(bitbucket.requests).toHaveLength(3);
  });

  it('reads all pages, and the hashes of many from one list of branches', async () => {
    const names = Array.from({ length: 120 }, (_, i) => `f/${i}`);
    list(names.map((source, id) => pullRequestValue({ id, source })));
    // One branch has moved on: its commit is asked for by itself.
    const [moved = '', ...rest] = names;
    commit(moved);
    bitbucket.lists.set(key('refs', 'branches'), { values: [...rest, 'main'].map(branchValue) });
    const got = await client().listPullRequests(repo, {}, context());
    expect(got.map((one) => one.source.hash)).toEqual(names.map(hashOf));
    expect(got.every((one) => one.destination.hash === hashOf('main'))).toBe(true);
    expect(bitbucket.requests[0]?.query.getAll('state')).toEqual([]);
    // 3 pages of pull requests, 2 of branches, 1 commit.
    expect(bitbucket.requests).toHaveLength(6);
  });

  it('reads branches beside pull requests, no more of them than bring hashes', async () => {
    const names = Array.from({ length: 500 }, (_, i) => `beside/${i}`);
    list(names.map((source, id) => pullRequestValue({ id, source })));
    commit('main');
    const heads = [...names, 'main', ...Array.from({ length: 499 }, (_, i) => `idle/${i}`)];
    bitbucket.lists.set(key('refs', 'branches'), { values: heads.map(branchValue) });
    const depth = await depthOf(bitbucket, async () => {
      const got = await client().listPullRequests(repo, {}, context());
      expect(got.map((one) => one.source.hash)).toEqual(names.map(hashOf));
      expect(got.every((one) => one.destination.hash === hashOf('main'))).toBe(true);
    });
    // 10 pages of pull requests, 5 of branches beside them, and what is left after that: the commit
    // of `main`.
    expect(bitbucket.requests).toHaveLength(16);
    expect(depth).toBe(11);
  });

  it('does not read on in branches that bring nothing', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `gone/${i}`);
    list(names.map((source, id) => pullRequestValue({ id, source })));
    for (const name of [...names, 'main']) commit(name);
    const idle = Array.from({ length: 900 }, (_, i) => `idle/${i}`);
    bitbucket.lists.set(key('refs', 'branches'), { values: idle.map(branchValue) });
    const got = await client().listPullRequests(repo, {}, context());
    expect(got.map((one) => one.source.hash)).toEqual(names.map(hashOf));
    const pages = bitbucket.requests.filter((one) => one.rawPath.endsWith('/refs/branches'));
    expect(pages).toHaveLength(3);
  });

  it('reads on in them while that takes no longer than asking for each would', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `old/${i}`);
    list(names.map((source, id) => pullRequestValue({ id, source })));
    const idle = Array.from({ length: 799 }, (_, i) => `idle/${i}`);
    const heads = [...idle, 'main', ...names];
    bitbucket.lists.set(key('refs', 'branches'), { values: heads.map(branchValue) });
    const got = await client().listPullRequests(repo, {}, context());
    expect(got.map((one) => one.source.hash)).toEqual(names.map(hashOf));
    // 4 pages of pull requests and all of the branches, but none of the 200 commits.
    expect(bitbucket.requests).toHaveLength(4 + 10);
  });

  it('looks for the commit of a fork in the fork, then where the pull request is', async () => {
    commit('main');
    commit('in-fork', 'repositories|me|fork');
    commit('fork-is-private');
    commit('fork-is-deleted');
    list([
      pullRequestValue({ id: 1, source: 'in-fork', sourceRepository: 'me/fork' }),
      pullRequestValue({ id: 2, source: 'fork-is-private', sourceRepository: 'me/private' }),
      pullRequestValue({ id: 3, source: 'fork-is-deleted', sourceRepository: null }),
      pullRequestValue({ id: 4, source: 'nowhere', sourceRepository: 'me/private' }),
    ]);
    const got = await client().listPullRequests(repo, {}, context());
    expect(got.map((one) => one.source)).toEqual([
      { repository: 'me/fork', branch: 'in-fork', hash: hashOf('in-fork') },
      { repository: 'me/private', branch: 'fork-is-private', hash: hashOf('fork-is-private') },
      { branch: 'fork-is-deleted', hash: hashOf('fork-is-deleted') },
      { repository: 'me/private', branch: 'nowhere', hash: shortOf('nowhere') },
    ]);
  });

  it('does not take another commit for the full hash', async () => {
    bitbucket.objects.set(key('pullrequests', '1'), pullRequestValue({ id: 1, source: 's' }));
    for (const name of ['s', 'main']) {
      bitbucket.objects.set(key('commit', shortOf(name)), commitValue('another'));
    }
    const got = await client().getPullRequest(repo, 1, context());
    expect(got.source.hash).toBe(shortOf('s'));
  });

  it('fails when a hash cannot be read for now', async () => {
    bitbucket.objects.set(key('pullrequests', '1'), pullRequestValue({ id: 1, source: 's' }));
    bitbucket.scripted.push(() => undefined);
    for (let i = 0; i < 9; i += 1) bitbucket.scripted.push(() => ({ status: 500 }));
    await expect(client().getPullRequest(repo, 1, context())).rejects.toMatchObject({
      status: 500,
    });
  });

  it('filters by states, and by commit, short or full', async () => {
    commit('main');
    commit('a');
    list(['a', 'b'].map((source, id) => pullRequestValue({ id, source })));
    const states = ['OPEN', 'MERGED'] as const;
    for (const sourceCommitHash of [hashOf('a'), shortOf('a')]) {
      const o = { states: [...states], sourceCommitHash };
      const got = await client().listPullRequests(repo, o, context());
      expect(got.map((one) => one.source.hash)).toEqual([hashOf('a')]);
    }
    expect(bitbucket.requests[0]?.query.getAll('state')).toEqual(states);
    // The commit of the one that does not match is not asked for.
    expect(paths().filter((path) => path.endsWith(shortOf('b')))).toEqual([]);
    const twin = shortOf('a') + '0'.repeat(28);
    expect(await client().listPullRequests(repo, { sourceCommitHash: twin }, context())).toEqual(
      [],
    );
  });

  it('creates one, from a branch and from a fork', async () => {
    commit('main');
    commit('s');
    const bodies: object[] = [];
    bitbucket.writes.set(`POST ${key('pullrequests')}`, (body) => {
      bodies.push(body);
      return { status: 201, body: pullRequestValue({ id: 9, source: 's' }) };
    });
    const short = await client().createPullRequest(
      repo,
      { title: 't', sourceBranch: 's' },
      context(),
    );
    expect(short.source.hash).toBe(hashOf('s'));
    const long = {
      title: 't',
      description: 'd',
      sourceBranch: 's',
      sourceRepository: 'me/fork',
      destinationBranch: 'main',
    };
    await client().createPullRequest(repo, long, context());
    expect(bodies).toEqual([
      { title: 't', source: { branch: { name: 's' } } },
      {
        title: 't',
        description: 'd',
        source: { branch: { name: 's' }, repository: { full_name: 'me/fork' } },
        destination: { branch: { name: 'main' } },
      },
    ]);
  });

  it('tells of one that is created although its hashes cannot be read', async () => {
    bitbucket.writes.set(`POST ${key('pullrequests')}`, () => ({
      status: 201,
      body: pullRequestValue({ id: 9, source: 's' }),
    }));
    bitbucket.scripted.push(() => undefined);
    for (let i = 0; i < 9; i += 1) bitbucket.scripted.push(() => ({ status: 500 }));
    const created = await client().createPullRequest(
      repo,
      { title: 't', sourceBranch: 's' },
      context(),
    );
    expect(created).toMatchObject({ id: 9, source: { hash: shortOf('s') } });
  });

  it('comments', async () => {
    const bodies: object[] = [];
    bitbucket.writes.set(`POST ${key('pullrequests', '7', 'comments')}`, (body) => {
      bodies.push(body);
      return { status: 201, body: { id: 1 } };
    });
    await client().commentPullRequest(repo, 7, '**Failed**\n', context());
    expect(bodies).toEqual([{ content: { raw: '**Failed**\n' } }]);
  });
});
