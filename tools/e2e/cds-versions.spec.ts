import { waitFor } from '@cds/testing';
import { CDS_VERSIONS } from '@cds/stand-ins/cds-api';
import {
  createWorkflow,
  outcomes,
  pendingCleanups,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Stack,
} from './stack.fixture';

const WORKFLOW = 'main';
const BRANCH = 'feature-x';

describe.each(CDS_VERSIONS)('the main way with CDS %s', (cds) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      api: { cds, keepsRunsOf: 'existing branches' },
      branchDeletionDelaySeconds: 2,
      projectToken: cds === '0.57' ? 'access token' : 'API token',
    });
    await stack.startLinked();
    await createWorkflow(stack, WORKFLOW);
  });
  afterAll(() => stack?.stop());

  const ended = (number: number) =>
    waitFor(
      () => {
        const run = stack.api.runs(PROJECT, WORKFLOW).find((one) => one.number === number);
        return run && ['Success', 'Fail'].includes(run.status) ? run : undefined;
      },
      { what: `run ${number} to end` },
    );
  const push = (branch: string) => stack.bitbucket.push({ repo: REPO, branch });

  it('lists the repositories, a signed push becomes a run, and the run one status on its commit', async () => {
    const { api, bitbucket } = stack;
    const repositories = await api.repositories(PROJECT);
    expect(repositories.map(({ fullname }) => fullname)).toContain(REPO);
    for (const { http_url } of repositories) expect(http_url).toMatch(/^https:/);

    const pushed = await push(BRANCH);
    expect(await outcomes(pushed)).toEqual([200]);
    const run = await ended(1);
    expect(run).toMatchObject({ status: 'Success', problems: [] });
    expect(run.event.payload).toMatchObject({ 'git.branch': BRANCH, 'git.hash': pushed.hash });
    expect(bitbucket.statuses(REPO, pushed.hash)).toEqual([
      // Started and ended: what the API says twice is sent once.
      expect.objectContaining({ name: api.statusName(run), state: 'SUCCESSFUL', writes: 2 }),
    ]);
  });

  it('comments once on the pull request of a build that failed', async () => {
    const { api, bitbucket } = stack;
    const { id } = await bitbucket.openPullRequest({
      ...{ repo: REPO, title: 'X', sourceBranch: BRANCH },
    });
    api.setBuild({ result: 'Fail' });
    await push(BRANCH);
    expect(await ended(2)).toMatchObject({ status: 'Fail', problems: [] });
    api.setBuild({ result: 'Success' });
    const pullRequest = bitbucket.repository(REPO).pullRequests.find((one) => one.id === id);
    expect(pullRequest?.comments.map(({ raw }) => raw)).toEqual([`[${WORKFLOW} #2] failed`]);
  });

  it('has the runs of a branch that is gone removed, by hooks or by the API, and those alone', async () => {
    const { api, bitbucket } = stack;
    await (
      await push('stays')
    ).delivered;
    await ended(3);
    await (
      await bitbucket.deleteBranch({ repo: REPO, branch: BRANCH })
    ).delivered;
    if (api.branchRemoval === 'rule') {
      // The deliveries of a hook are processed in order: that of the deletion is over then.
      await push('stays');
      await ended(4);
      expect(await pendingCleanups(stack)).toEqual([]);
      await api.applyRetentionRule();
    }
    const removal = await waitFor(() => api.removals()[0], { what: 'the removal' });
    expect(removal).toMatchObject({ branch: BRANCH, runs: 2 });
    const left = api.runs(PROJECT, WORKFLOW).map(({ event }) => event.payload['git.branch']);
    expect(new Set(left)).toEqual(new Set(['stays']));
    expect(api.removals()).toHaveLength(1);
  });

  if (cds !== '0.41') {
    it('goes on after sessions have expired, and after the API was started with another key', async () => {
      const { api } = stack;
      const before = api.runs(PROJECT, WORKFLOW).length;
      api.sessions.passTime(3_600);
      await (
        await push('expired')
      ).delivered;
      await runsOf(stack, WORKFLOW, before + 1);

      api.sessions.rotateKey();
      await waitFor(() => api.repositories(PROJECT), { what: 'vcs to know the new key' });
      await waitFor(() => api.tasks(), { what: 'hooks to know the new key' });
      await (
        await push('rotated')
      ).delivered;
      await runsOf(stack, WORKFLOW, before + 2);
    });
  }

  it('leaves the API nothing to complain of', () => {
    expect(stack.api.violations()).toEqual([]);
    // A session that has expired is answered 401; it asks for nothing that this CDS does not have.
    const refused = stack.api.requests
      .entries()
      .filter(({ status }) => status >= 400 && status !== 401);
    expect(refused).toEqual([]);
  });
});
