import { waitFor } from '@cds/testing';
import { hashOf, newRepository } from '../../test/stand-in-data.fixture';
import { useTestContext, type VcsInstance } from '../../test/test-context.fixture';

const EVENTS = '/vcs/bitbucketcloud/repos/acme/widgets/events';

interface Found {
  events: { kind: string; ref?: string; action?: string }[];
  delay: number;
}

const context = useTestContext();
let vcs: VcsInstance;

beforeEach(() => {
  vcs = context.instance({ server: { polling: true } });
});

async function look(instance = vcs, since = '0'): Promise<Found> {
  const answer = await instance.call('get', `${EVENTS}?since=${since}`, context.pair);
  expect(answer.status).toBe(200);
  return answer.body as Found;
}

const filter = (events: unknown, kind: string) =>
  vcs
    .call('post', `${EVENTS}?filter=${kind}`, context.pair)
    .set('content-type', 'application/json')
    .send(JSON.stringify(events));

const names = ({ events }: Found) =>
  events.map(({ kind, ref, action }) => `${kind} ${ref ?? action}`);

/** One more commit, which `branch` then points to. */
function push(branch: string, text: string): string {
  const hash = hashOf(text);
  const { commits, branches } = context.widgets;
  const [newest] = commits;
  if (!newest) throw new Error('the repository has commits');
  commits.unshift({ ...newest, hash, message: `${text}\n` });
  branches.set(branch, hash);
  return hash;
}

describe('polling', () => {
  it('is offered where it is switched on', async () => {
    const answer = await vcs.call('get', '/vcs/bitbucketcloud/polling');
    expect(answer.body).toEqual({ polling_supported: true, polling_disabled: false });
  });

  it('is not implemented where it is off', async () => {
    const off = context.instance();
    expect((await off.call('get', '/vcs/bitbucketcloud/polling')).body).toEqual({
      polling_supported: false,
      polling_disabled: false,
    });
    expect((await off.call('get', EVENTS, context.pair)).status).toBe(501);
    const posted = await off
      .call('post', `${EVENTS}?filter=push`, context.pair)
      .set('content-type', 'application/json')
      .send('[]');
    expect(posted.status).toBe(501);
    expect(context.bitbucket.requests).toEqual([]);
  });

  it('finds nothing at the first look, and nothing where nothing happened', async () => {
    expect(await look()).toEqual({ events: [], delay: 60_000_000_000 });
    expect((await look()).events).toEqual([]);
  });

  it('finds new, moved and deleted branches and tags', async () => {
    context.widgets.branches.set('old', context.widgets.commits[1]?.hash ?? '');
    context.widgets.tags.push({ name: 'v1', message: null, hash: hashOf('acme/widgets 1') });
    await look();

    push('main', 'a change');
    push('feat/one', 'another');
    context.widgets.branches.delete('old');
    context.widgets.tags = [{ name: 'v2', message: null, hash: hashOf('acme/widgets 2') }];

    expect(names(await look()).toSorted()).toEqual([
      'create refs/heads/feat/one',
      'create refs/tags/v2',
      'delete refs/heads/old',
      'delete refs/tags/v1',
      'push refs/heads/main',
    ]);
  });

  it('begins anew where what was seen cannot be read, and leaves out an event that cannot be', async () => {
    await look();
    push('dev', 'one');
    await look();
    const { redis } = vcs;
    const [snapshot = ''] = await redis.keys('cdsbb:vcs:polled:*');
    const [events = ''] = await redis.keys('cdsbb:vcs:events:*');
    for (const text of ['{"refs":', '7']) {
      await redis.hset(snapshot, 'snapshot', text);
      await redis.xadd(events, '*', 'event', text);
      expect(names(await look())).toEqual(['create refs/heads/dev']);
    }
    push('dev', 'two');
    expect(names(await look())).toEqual(['create refs/heads/dev', 'push refs/heads/dev']);
  });

  it('tells each workflow what happened since its own last look', async () => {
    await look();
    push('main', 'a change');

    expect((await look()).events).toHaveLength(1);
    expect((await look()).events).toHaveLength(1);
    const future = String(Math.floor(Date.now() / 1_000) + 120);
    expect((await look(vcs, future)).events).toEqual([]);
  });

  it('remembers over replicas and restarts, and finds each change once', async () => {
    await look();
    const other = context.instance({ server: { polling: true } });
    push('main', 'a change');

    await Promise.all([look(), look(other)]);

    expect(names(await look(other))).toEqual(['push refs/heads/main']);
  });

  it('does not take a branch for deleted that a list of several pages missed', async () => {
    await look();
    context.bitbucket.disturb({ path: /\/refs$/, status: 200, body: { values: [] } });

    expect((await look()).events).toEqual([]);
    // Nor for new when it is back.
    expect((await look()).events).toEqual([]);
  });

  it('goes on without a ref that cannot be read, and takes it for neither gone nor new', async () => {
    push('odd', 'its commit');
    await look();
    const refs = [...context.widgets.branches].map(([name, hash]) => ({
      type: 'branch',
      name,
      target: name === 'odd' ? {} : { hash: name === 'main' ? hashOf('moved') : hash },
    }));
    context.bitbucket.disturb({ path: /\/refs$/, status: 200, body: { values: refs } });
    context.bitbucket.disturb({ path: /branches\/odd$/, status: 200, body: { name: 'odd' } });

    expect(names(await look())).toEqual(['push refs/heads/main']);
    const warnings = context.logged.filter(({ level }) => level === 40);
    expect(warnings).toEqual([
      expect.objectContaining({ item: 'odd' }),
      expect.objectContaining({ ref: 'refs/heads/odd' }),
    ]);
  });

  it('does not tell of a branch as deleted that it saw, though an older look is kept later', async () => {
    push('back', 'first');
    push('gone', 'another');
    await look();
    const path = '/repositories/acme/widgets/refs/branches/gone';
    const confirmedAfter = (delayMs: number) =>
      context.bitbucket.disturb({ path: new RegExp(`${path}$`), status: 404, delayMs });
    const asked = () => context.bitbucket.requests.filter((one) => one.path === path).length;

    context.widgets.branches.delete('back');
    context.widgets.branches.delete('gone');
    confirmedAfter(500);
    const older = look();
    await waitFor(() => asked() === 1, { what: 'the deletion of the first to be confirmed' });
    push('back', 'second');
    confirmedAfter(2_000);
    const younger = look();

    const gone = ['delete refs/heads/back', 'delete refs/heads/gone'];
    expect(names(await older)).toEqual(gone);
    expect(names(await younger)).toEqual(gone.slice(1));
    // Nobody has kept yet that it is back.
    expect(names(await look())).toEqual([...gone.slice(1), 'create refs/heads/back']);
  });

  it('asks seldom for a repository with many refs, so that its looks stay within the budget', async () => {
    const [{ hash } = { hash: '' }] = context.widgets.commits;
    for (let i = 0; i < 250; i++) context.widgets.branches.set(`b${i}`, hash);

    const { delay } = await look();

    // Three pages of refs and one of pull requests.
    expect(context.bitbucket.requests).toHaveLength(4);
    expect(delay).toBe(4 * 30 * 1_000_000_000);
  });

  it('needs access to the repository, whatever others have found there', async () => {
    await look();
    push('main', 'a change');
    await look();
    context.bitbucket.disturb({ path: /\/refs$/, status: 404, body: {} });

    const answer = await vcs.call('get', `${EVENTS}?since=0`, context.pair);

    expect(answer.status).toBe(404);
    expect(JSON.stringify(answer.body)).not.toContain('a change');
  });

  it('is 503 without Redis, and goes on where it was when Redis is back', async () => {
    await look();
    push('main', 'a change');
    await context.redisServer.kill();

    const answer = await vcs.call('get', EVENTS, context.pair);
    expect(answer.status).toBe(503);
    expect(answer.body.message).toContain('Redis does not answer');

    await context.reviveRedis();
    // The tests' Redis keeps nothing: this is a first look again, and no storm of runs.
    expect((await look()).events).toEqual([]);
  });

  it.each(['1x', '-1', '1'.repeat(13)])('refuses since=%s', async (since) => {
    const answer = await vcs.call('get', `${EVENTS}?since=${since}`, context.pair);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('since is a number of seconds');
  });
});

describe('events', () => {
  it('are pushes: the last of each branch, with its commit; tags by their whole name', async () => {
    await look();
    push('main', 'first');
    await look();
    const hash = push('main', 'second');
    context.widgets.tags.push({ name: 'v1', message: null, hash });

    const { events } = await look();
    const answer = await filter(events, 'push');

    expect(answer.status).toBe(200);
    const commit = {
      id: hash,
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
      message: 'second\n',
      url: `https://bitbucket.org/acme/widgets/commits/${hash}`,
    };
    const branch = { latest_commit: hash, parents: null };
    expect(answer.body).toEqual([
      {
        repo: 'acme/widgets',
        branch: { id: 'main', display_id: 'main', default: true, ...branch },
        commit,
        clone_url: '',
      },
      {
        repo: 'acme/widgets',
        branch: { id: 'refs/tags/v1', display_id: 'refs/tags/v1', default: false, ...branch },
        commit,
        clone_url: '',
      },
    ]);
  });

  it('are creations and deletions of what is still so', async () => {
    await look();
    push('new', 'new');
    push('short-lived', 'short');
    await look();
    context.widgets.branches.delete('short-lived');
    context.widgets.branches.delete('main');

    const { events } = await look();
    const ids = async (kind: string) =>
      ((await filter(events, kind)).body as { branch: { display_id: string } }[]).map(
        ({ branch }) => branch.display_id,
      );

    expect(await ids('create')).toEqual(['new']);
    expect(await ids('push')).toEqual(['new']);
    expect((await ids('delete')).toSorted()).toEqual(['main', 'short-lived']);
  });

  it('are pull requests that were opened, or whose source moved, with the commit of the source', async () => {
    await look();
    const hash = push('feat', 'feature');
    const [base] = context.widgets.commits.slice(1);
    context.widgets.pullRequests.push({
      id: 7,
      title: 'A feature',
      state: 'OPEN',
      source: { repository: 'acme/widgets', branch: 'feat', hash },
      destination: { repository: 'acme/widgets', branch: 'main', hash: base?.hash ?? '' },
      comments: [],
    });
    const opened = await filter((await look()).events, 'pullrequests');
    expect(opened.body).toMatchObject([
      {
        action: 'opened',
        repo: 'acme/widgets',
        url: 'https://bitbucket.org/acme/widgets/pull-requests/7',
        head: {
          branch: { display_id: 'feat', latest_commit: hash },
          commit: { id: hash, message: 'feature\n', author: { name: 'ada' } },
        },
        base: { branch: { display_id: 'main' } },
      },
    ]);

    const moved = push('feat', 'more');
    const [pullRequest] = context.widgets.pullRequests;
    if (pullRequest) pullRequest.source.hash = moved;
    const edited = await filter((await look()).events, 'pullrequests');
    expect(edited.body).toMatchObject([
      { action: 'edited', head: { commit: { id: moved, message: 'more\n' } } },
    ]);
  });

  it('are refused when they are not ours, or for no filter', async () => {
    const strange = await filter([{ kind: 'party' }], 'push');
    expect(strange.status).toBe(400);
    expect(strange.body.message).toContain('not events of GET …/events');
    const unknown = await filter([], 'parties');
    expect(unknown.status).toBe(400);
    expect(unknown.body.message).toContain('filter is one of push, create, delete, pullrequests');
    expect((await filter([], 'push')).body).toEqual([]);
  });

  it('need no call for any commit, however many there are', async () => {
    await look();
    const { commits } = newRepository('acme', 'widgets', 60);
    context.widgets.commits = commits;
    commits.forEach(({ hash }, index) => context.widgets.branches.set(`b${index}`, hash));
    const { events } = await look();
    const before = context.bitbucket.requests.length;

    const answer = await filter(events, 'push');

    expect(answer.body).toHaveLength(60);
    // The main branch's name.
    expect(context.bitbucket.requests.length - before).toBe(1);
  });
});
