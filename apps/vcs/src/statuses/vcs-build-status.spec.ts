import { ApiError } from '@cds/api-client';
import { vcsKeys } from '@cds/redis';
import { waitFor } from '@cds/testing';
import {
  useTestContext,
  type VcsInstance,
  vcsProjectHeaders,
} from '../../test/test-context.fixture';

import { nameOfProjects } from '../servers/project-servers';

const STATUS = '/vcs/bitbucketcloud/status';
const UI = 'https://cds.acme.example';
const RUN_AS_CODE = `${UI}/project/PROJ/run/d0787a35-761b-4c8d-afab-f8ce1ba0be0f`;
const LATER_RUN_AS_CODE = `${UI}/project/PROJ/run/7c4414ef-3329-4200-8df2-418050307ebf`;

const context = useTestContext();
let vcs: VcsInstance;
let commit: string;

beforeEach(() => {
  vcs = context.instance({ apiVersion: [0, 57] });
  commit = String(context.widgets.commits[0]?.hash);
});

/** What CDS 0.54 and later sends of a node `compile` of `build-all`. */
function buildStatus(change: Record<string, unknown> = {}) {
  const status = String(change['status'] ?? 'Building');
  return {
    title: 'PROJ-build-all-compile',
    description: `compile: ${status}`,
    url_cds: `${UI}/project/PROJ/workflow/build-all/run/1`,
    context: 'PROJ-build-all-compile',
    status,
    repository_fullname: 'acme/widgets',
    git_hash: commit,
    ...change,
  };
}

const ofRun = (number: number) => ({
  url_cds: `${UI}/project/PROJ/workflow/build-all/run/${number}`,
});

const send = (change: Record<string, unknown> = {}, instance = vcs) =>
  instance
    .call('post', STATUS, context.pair)
    .set(vcsProjectHeaders(context))
    .send(buildStatus(change));
const posted = () => context.bitbucket.requests.filter((request) => request.method === 'POST');
const states = () => posted().map((request) => (request.body as { state: string }).state);
const sentKey = () =>
  vcsKeys.sentStatus(
    ...[nameOfProjects(context.bitbucket.apiUrl), 'acme/widgets', commit, 'PROJ-build-all-compile'],
  );

describe('the build status of CDS 0.54 and later', () => {
  it('is sent with the title, the context and the URL that it has', async () => {
    const answer = await send();
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(posted().map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: `/repositories/acme/widgets/commit/${commit}/statuses/build`,
        body: {
          key: 'PROJ-build-all-compile',
          name: 'PROJ-build-all-compile',
          state: 'INPROGRESS',
          description: 'compile: Building',
          url: `${UI}/project/PROJ/workflow/build-all/run/1`,
        },
      },
    ]);
  });

  it.each([
    ['Success', 'SUCCESSFUL'],
    ['Fail', 'FAILED'],
    ['Stopped', 'STOPPED'],
    ['Cancelled', 'STOPPED'],
    ['Skipped', 'SUCCESSFUL'],
    ['Building', 'INPROGRESS'],
    ['Crafting', 'INPROGRESS'],
    ['Blocked', 'INPROGRESS'],
  ])('%s is %s at Bitbucket', async (status, state) => {
    await send({ status });
    expect(states()).toEqual([state]);
  });

  it.each(['', 'Checking', 'Disabled', 'Never Built', 'Unknown', 'Waiting'])(
    'of "%s" is not sent',
    async (status) => {
      expect((await send({ status })).status).toBe(204);
      expect(posted()).toEqual([]);
    },
  );

  it.each(['', 'http://cds/project/P/run/1', 'javascript:alert(1)', `${UI}/${'x'.repeat(450)}`])(
    "has the documentation's URL where there is none that Bitbucket takes: %s",
    async (url_cds) => {
      expect((await send({ url_cds })).status).toBe(204);
      expect(posted()).toMatchObject([{ body: { url: 'https://ovh.github.io/cds/' } }]);
    },
  );

  it('has a key of at most 40 characters, that of no other', async () => {
    const context40 = `PROJ-build-all-${'c'.repeat(40)}`;
    await send({ context: `${context40}-a`, title: `${context40}-a` });
    await send({ context: `${context40}-b`, title: `${context40}-b` });
    const keys = posted().map(({ body }) => (body as { key: string }).key);
    expect(new Set(keys).size).toBe(2);
    expect(keys.every((key) => key.length <= 40)).toBe(true);
  });

  it.each([
    { status: undefined },
    { status: 7 },
    { repository_fullname: 'widgets' },
    { context: 7 },
  ])('that is wrong is 400: %j', async (change) => {
    expect((await send(change)).status).toBe(400);
    expect(posted()).toEqual([]);
  });

  it.each([{ git_hash: '' }, { repository_fullname: '' }, { title: '', context: '' }])(
    'of nothing at Bitbucket is ignored: %j',
    async (change) => {
      expect((await send(change)).status).toBe(204);
      expect(posted()).toEqual([]);
    },
  );
});

describe('the order of build statuses of CDS 0.54 and later', () => {
  it('sends none twice, also where CDS repeats it without its title and space', async () => {
    await send({ status: 'Success' });
    await send({ status: 'Success' });
    await send({ status: 'Success', title: '', description: 'compile:Success' });
    expect(states()).toEqual(['SUCCESSFUL']);
  });

  it('sends none of an earlier run, by the number in the URL', async () => {
    await send({ status: 'Success', ...ofRun(10) });
    await send({ status: 'Fail', ...ofRun(9) });
    await send({ status: 'Building', ...ofRun(11) });
    expect(states()).toEqual(['SUCCESSFUL', 'INPROGRESS']);
  });

  it.each([ofRun(1), { url_cds: '' }, { url_cds: RUN_AS_CODE }])(
    'sends no beginning of a run after its end: %j',
    async (run) => {
      await send({ status: 'Success', ...run });
      await send({ status: 'Building', ...run });
      expect(states()).toEqual(['SUCCESSFUL']);
    },
  );

  it('sends the beginning of a run that somebody started again', async () => {
    await send({ status: 'Fail' });
    const stored = JSON.parse(String(await vcs.redis.get(sentKey())));
    await vcs.redis.set(sentKey(), JSON.stringify({ ...stored, at: stored.at - 10 * 60_000 }));
    await send({ title: '', description: 'compile:Building' });
    expect(states()).toEqual(['FAILED']);
    await send();
    await send({ status: 'Success' });
    expect(states()).toEqual(['FAILED', 'INPROGRESS', 'SUCCESSFUL']);
  });

  it('takes runs as code, which have no number, in the order in which they began', async () => {
    const asCode = { title: 'PROJ-build-all', context: 'PROJ-build-all' };
    await send({ ...asCode, url_cds: RUN_AS_CODE });
    await send({ ...asCode, url_cds: LATER_RUN_AS_CODE });
    await send({ ...asCode, url_cds: RUN_AS_CODE, status: 'Fail' });
    await send({ ...asCode, url_cds: LATER_RUN_AS_CODE, status: 'Success' });
    expect(states()).toEqual(['INPROGRESS', 'INPROGRESS', 'SUCCESSFUL']);
  });

  it('holds over replicas', async () => {
    const other = context.instance({ apiVersion: [0, 57] });
    await send({ status: 'Success', ...ofRun(2) });
    await send({ status: 'Building', ...ofRun(2) }, other);
    await send({ status: 'Fail', ...ofRun(1) }, other);
    expect(states()).toEqual(['SUCCESSFUL']);
  });
});

it('an event of CDS 0.44 and later has JSON names', async () => {
  await vcs
    .call('post', STATUS, context.pair)
    .send({
      type_event: 'sdk.EventRunWorkflowNode',
      project_key: 'PROJ',
      workflow_name: 'build-all',
      payload: {
        ...{ num: 3, status: 'Success', repository_full_name: 'acme/widgets', hash: commit },
        ...{ tag: '', branch_name: 'feat/one', node_name: 'compile' },
      },
    })
    .expect(204);
  expect(posted()).toMatchObject([
    {
      body: {
        name: 'CDS/PROJ-build-all-compile',
        state: 'SUCCESSFUL',
        url: `${UI}/project/PROJ/workflow/build-all/run/3`,
        refname: 'feat/one',
      },
    },
  ]);
});

const listing = () => `/vcs/bitbucketcloud/repos/acme/widgets/commits/${commit}/statuses`;

it('a skipped build is listed as such, so that CDS need not send it again', async () => {
  await send({ status: 'Success', description: 'compile: Skipped' });
  const { body } = await vcs.call('get', listing()).set(vcsProjectHeaders(context));
  expect(body).toMatchObject([{ state: 'Skipped', description: 'PROJ-build-all-compile' }]);
});

describe('the end of a build of CDS 0.54 and later that was missed', () => {
  const unfinished = () => vcs.redis.zrange(vcsKeys.unfinished, 0, '-1');

  it('is asked for by the URL of its run, and sent under the name that it has', async () => {
    await send(ofRun(7));
    const asked: object[] = [];
    const other = context.instance({
      apiVersion: [0, 57],
      api: {
        async nodeRun(ref) {
          asked.push(ref);
          return { subNumber: 3, status: 'Fail' };
        },
      },
    });
    // The credential of a VCS project is not stored: its next call brings it.
    await other.call('get', '/vcs/bbc/repos/acme/widgets').set(vcsProjectHeaders(context));
    other.app.start();
    await waitFor(() => states().length === 2);
    expect(asked).toEqual([{ project: 'PROJ', workflow: 'build-all', number: 7, node: 'compile' }]);
    expect(posted()[1]?.body).toEqual({
      key: 'PROJ-build-all-compile',
      name: 'PROJ-build-all-compile',
      state: 'FAILED',
      description: 'compile: Fail',
      url: ofRun(7).url_cds,
    });
    await waitFor(async () => (await unfinished()).length === 0);
  });

  it.each([
    { url_cds: '' },
    { url_cds: RUN_AS_CODE, context: 'PROJ-build-all' },
    { ...ofRun(7), context: 'named by hand' },
  ])('is not asked for where the run is not told: %j', async (change) => {
    await send(change);
    expect(states()).toEqual(['INPROGRESS']);
    expect(await unfinished()).toEqual([]);
  });

  it('that may not be read is told once, with what to do', async () => {
    for (const number of [1, 2, 3])
      await send({ ...ofRun(number), context: `PROJ-build-all-n${number}`, title: `n${number}` });
    const asked: number[] = [];
    const other = context.instance({
      apiVersion: [0, 57],
      api: {
        async nodeRun({ number }) {
          asked.push(number);
          throw new ApiError('refused', 'forbidden', { status: 403, cdsId: 11 });
        },
      },
    });
    await other.call('get', '/vcs/bbc/repos/acme/widgets').set(vcsProjectHeaders(context));
    other.app.start();
    await waitFor(() => new Set(asked).size === 3);
    const late = () => vcs.redis.zcount(vcsKeys.unfinished, Date.now() + 20 * 60_000, '+inf');
    await waitFor(async () => (await late()) === 3);
    const warnings = context.logged.filter(({ level }) => Number(level) >= 40);
    expect(warnings.map(({ msg }) => msg)).toEqual([expect.stringContaining('the scope Run')]);
  });
});

describe('listing statuses for a VCS project', () => {
  const list = async () =>
    (await vcs.call('get', listing(), context.pair).set(vcsProjectHeaders(context))).body;

  function atCommit(...statuses: [name: string, state: string][]): void {
    const all = statuses.map(([name, state], index) => ({ key: String(index), name, state }));
    context.widgets.statuses.set(commit, new Map(all.map((status) => [status.key, status])));
  }

  it.each([
    ['PROJ-build-all-compile', 'PROJ-build-all-compile'],
    ['CDS/PROJ-build-all-compile', 'CDS/PROJ-build-all-compile'],
    [`PROJ-build-all-${'c'.repeat(30)}`, `PROJ-build-all-${'c'.repeat(21)}`],
  ])('answers the 36 characters that CDS compares of %s', async (name, description) => {
    atCommit([name, 'SUCCESSFUL']);
    expect(await list()).toEqual([
      expect.objectContaining({ ref: commit, state: 'Success', description }),
    ]);
  });

  it('answers whole names where several begin alike, since CDS would take one for all', async () => {
    const long = `PROJ-build-all-${'c'.repeat(30)}`;
    atCommit([`${long}-a`, 'SUCCESSFUL'], [`${long}-b`, 'INPROGRESS'], ['PROJ-w-n', 'FAILED']);
    expect(await list()).toMatchObject([
      { state: 'Success', description: `${long}-a` },
      { state: 'Building', description: `${long}-b` },
      { state: 'Fail', description: 'PROJ-w-n' },
    ]);
  });
});
