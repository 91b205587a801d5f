import { hashOf, newRepository } from '../../test/stand-in-data.fixture';
import { useTestContext, type VcsInstance } from '../../test/test-context.fixture';

const REPO = '/vcs/bitbucketcloud/repos/acme/widgets';

const context = useTestContext();
let vcs: VcsInstance;

beforeEach(() => {
  vcs = context.instance();
});

const get = (path: string) => vcs.call('get', path, context.pair);
const ids = (body: { id: string }[]) => body.map((commit) => commit.id);
const hashes = () => context.widgets.commits.map((commit) => commit.hash);

function withCommits(count: number): void {
  context.widgets.commits = newRepository('acme', 'widgets', count).commits;
  context.widgets.branches.set('main', String(context.widgets.commits[0]?.hash));
}

describe('one commit', () => {
  it('has its author, its e-mail and its time in milliseconds', async () => {
    const commit = context.widgets.commits[0];
    expect((await get(`${REPO}/commits/${commit?.hash}`)).body).toEqual({
      id: commit?.hash,
      author: {
        name: 'ada',
        displayName: 'ada Example',
        emailAddress: 'ada@acme.example',
        avatar: 'https://avatar.example/ada.png',
        slug: '',
        id: '{ada}',
      },
      committer: { name: '', displayName: '', emailAddress: '', avatar: '', slug: '', id: '' },
      verified: false,
      signature: '',
      key_id: '',
      authorTimestamp: Date.UTC(2026, 9, 1, 12, 0, 3),
      message: 'change 3\n',
      url: `https://bitbucket.org/acme/widgets/commits/${commit?.hash}`,
    });
  });

  it('by an author without an account has no name', async () => {
    const commit = context.widgets.commits[0];
    if (commit) delete commit.nickname;
    expect((await get(`${REPO}/commits/${commit?.hash}`)).body.author).toEqual({
      name: '',
      displayName: 'Ada Example',
      emailAddress: 'ada@acme.example',
      avatar: '',
      slug: '',
      id: '',
    });
  });

  it('that is unknown is 404', async () => {
    const answer = await get(`${REPO}/commits/${hashOf('nowhere')}`);
    expect(answer.status).toBe(404);
    expect(answer.body.id).toBe(45);
  });

  it('may be named by a tag with slashes', async () => {
    context.widgets.tags.push({ name: 'release/1/0', message: null, hash: String(hashes()[2]) });
    expect((await get(`${REPO}/commits/release/1/0`)).body.id).toBe(hashes()[2]);
  });
});

describe('commits of a branch', () => {
  const since = (query: string) => get(`${REPO}/branches/commits?${query}`);

  it('between since and until', async () => {
    const [newest, middle, oldest] = hashes();
    expect(ids((await since(`branch=main&since=${oldest}&until=${newest}`)).body)).toEqual([
      newest,
      middle,
    ]);
  });

  it('without until go up to the branch', async () => {
    const [newest, middle, oldest] = hashes();
    context.widgets.branches.set('feat/a b#c', String(middle));
    const branch = encodeURIComponent('feat/a b#c');
    expect(ids((await since(`branch=${branch}&since=${oldest}&until=`)).body)).toEqual([middle]);
    expect(ids((await since(`branch=main&since=${oldest}&until=`)).body)).toEqual([newest, middle]);
  });

  it('without any end are the newest 100', async () => {
    withCommits(140);
    const answer = await since('branch=main&since=&until=');
    expect(answer.status).toBe(200);
    expect(ids(answer.body)).toEqual(hashes().slice(0, 100));
  });

  it('without a branch are those of the main branch', async () => {
    expect(ids((await since('branch=&since=&until=')).body)).toEqual(hashes());
  });

  it('with a lower end are bounded too', async () => {
    withCommits(1100);
    const answer = await since(`branch=main&since=${hashes().at(-1)}&until=`);
    expect(ids(answer.body)).toEqual(hashes().slice(0, 1000));
  });

  it('since a commit that is gone are 404', async () => {
    const answer = await since(`branch=main&since=${hashOf('gone')}&until=`);
    expect(answer.status).toBe(404);
    expect(answer.body.id).toBe(38);
  });

  it('never name a ref in the path', async () => {
    context.widgets.branches.set('feat/x', String(hashes()[0]));
    await since(`branch=feat%2Fx&since=${hashes()[1]}&until=`);
    expect(context.bitbucket.requests.map((request) => request.path)).toEqual([
      '/repositories/acme/widgets/commits',
    ]);
  });
});

describe('commits between two refs', () => {
  it('are those of head that are not in base', async () => {
    context.widgets.tags.push({ name: 'v1/final', message: null, hash: String(hashes()[2]) });
    const answer = await get(`${REPO}/commits?base=v1%2Ffinal&head=main`);
    expect(ids(answer.body)).toEqual(hashes().slice(0, 2));
  });

  it('without base are the newest 100, without head those of the main branch', async () => {
    withCommits(120);
    expect(ids((await get(`${REPO}/commits?base=&head=main`)).body)).toHaveLength(100);
    expect(ids((await get(`${REPO}/commits?base=&head=`)).body)).toHaveLength(100);
  });

  it('of an empty repository are none', async () => {
    context.bitbucket.repositories.push(newRepository('acme', 'empty', 0));
    const answer = await get('/vcs/bitbucketcloud/repos/acme/empty/commits?base=&head=');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual([]);
  });
});
