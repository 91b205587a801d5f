import { createHmac } from 'node:crypto';
import { waitFor } from '@cds/testing';
import type { VcsBranch, VcsPullRequest } from '@cds/wire';
import {
  callVcs,
  createWorkflow,
  outcomes,
  pendingCleanups,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Stack,
} from './stack.fixture';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ api: { cds: '0.41' }, branchDeletionDelaySeconds: 3 });
  await stack.startLinked();
});
afterAll(() => stack?.stop());

const ended = (workflow: string, number = 1) =>
  waitFor(
    () => {
      const run = stack.api.runs(PROJECT, workflow)[number - 1];
      return run && ['Success', 'Fail'].includes(run.status) ? run : undefined;
    },
    { what: `run ${number} of ${workflow} to end` },
  );

describe('a linked project', () => {
  it('sees the repositories of every workspace of its user, clone URLs by their names', async () => {
    const repositories = await stack.api.repositories(PROJECT);
    expect(repositories.map(({ fullname }) => fullname).toSorted()).toEqual([
      'acme/payments',
      'acme/web-shop',
      'jane-doe/web-shop',
    ]);
    for (const { http_url, ssh_url } of repositories) {
      expect(http_url).toMatch(/^https:/);
      expect(ssh_url).toMatch(/^git@/);
    }
  });

  it('sees branches whatever their names', async () => {
    const { hash } = await stack.bitbucket.push({ repo: REPO, branch: 'feat/a b#1' });
    const branch = (await callVcs(
      stack,
      'GET',
      `/repos/${REPO}/branches/?branch=${encodeURIComponent('feat/a b#1')}`,
    )) as VcsBranch;
    expect(branch).toMatchObject({ id: 'feat/a b#1', latest_commit: hash, default: false });
    const commits = await callVcs(
      stack,
      'GET',
      `/repos/${REPO}/branches/commits?branch=${encodeURIComponent('feat/a b#1')}&since=main&until=`,
    );
    expect(commits).toMatchObject([{ id: hash }]);
  });
});

describe('a push', () => {
  beforeAll(() => createWorkflow(stack, 'pushes'));

  it('becomes a run, and the run a build status on its commit', async () => {
    const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'feature/x', message: 'X\n' });
    expect(await outcomes(pushed)).toEqual([200]);

    const run = await ended('pushes');
    expect(run).toMatchObject({ status: 'Success', problems: [] });
    expect(run.event.payload).toMatchObject({
      'git.branch': 'feature/x',
      'git.hash': pushed.hash,
      'git.author': 'Jane Doe',
      'git.message': 'X\n',
      'git.repository': REPO,
      'cds.triggered_by.username': 'jane',
    });
    expect(stack.bitbucket.statuses(REPO, pushed.hash)).toEqual([
      expect.objectContaining({
        name: `CDS/${PROJECT}-pushes-build`,
        state: 'SUCCESSFUL',
        refname: 'feature/x',
        // Started and ended: what the API says twice is sent once.
        writes: 2,
      }),
    ]);
  });

  it('of several refs becomes a run for each', async () => {
    const before = stack.api.runs(PROJECT, 'pushes').length;
    const { jane } = accounts();
    const { pushCommits, addTag } = await import('@cds/stand-ins/bitbucket');
    const pushed = await stack.bitbucket.pushTogether(REPO, [
      (one) => pushCommits(one, jane, { branch: 'one' }),
      (one) => pushCommits(one, jane, { branch: 'two' }),
      (one) => addTag(one, jane, { tag: 'v1.2.3', message: 'Release\n' }),
    ]);
    expect(await outcomes(pushed)).toEqual([200]);

    const runs = (await runsOf(stack, 'pushes', before + 3)).slice(before);
    expect(
      runs.map(({ event }) => event.payload['git.branch'] ?? event.payload['git.tag']),
    ).toEqual(['one', 'two', 'v1.2.3']);
  });

  it('that fails to build is commented on at its pull request, found by all forty digits', async () => {
    const before = stack.api.runs(PROJECT, 'pushes').length;
    await (
      await stack.bitbucket.push({ repo: REPO, branch: 'pr/1' })
    ).delivered;
    await ended('pushes', before + 1);
    const { id } = await stack.bitbucket.openPullRequest({
      repo: REPO,
      title: 'One',
      sourceBranch: 'pr/1',
    });
    stack.api.setBuild({ result: 'Fail' });
    const { hash } = await stack.bitbucket.push({ repo: REPO, branch: 'pr/1' });
    expect(await ended('pushes', before + 2)).toMatchObject({ status: 'Fail', problems: [] });
    stack.api.setBuild({ result: 'Success' });

    const [listed] = (await callVcs(
      stack,
      'GET',
      `/repos/${REPO}/pullrequests`,
    )) as VcsPullRequest[];
    expect(listed?.head.branch.latest_commit).toBe(hash);
    const pullRequest = stack.bitbucket.repository(REPO).pullRequests.find((one) => one.id === id);
    expect(pullRequest?.comments.map(({ raw }) => raw)).toEqual([`[pushes #${before + 2}] failed`]);
  });

  it('is signed for by nobody else: other senders are refused, other events ignored', async () => {
    const before = stack.api.runs(PROJECT, 'pushes').length;
    const [webhook] = stack.bitbucket.repository(REPO).webhooks.values();
    if (!webhook) throw new Error('no webhook');
    const post = (headers: Record<string, string>) =>
      fetch(webhook.url, { method: 'POST', headers, body: '{}' });
    const github = { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': 'sha256=0' };
    const fork = { 'X-Event-Key': 'repo:fork' };
    for (const headers of [github, fork]) expect((await post(headers)).status).toBe(401);

    const signed = {
      'X-Hub-Signature': `sha256=${createHmac('sha256', webhook.secret ?? '')
        .update('{}')
        .digest('hex')}`,
    };
    const refused = await post({ ...github, ...signed });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('GitHub');
    expect((await post({ ...fork, ...signed })).status).toBe(200);
    expect((await fetch(webhook.url)).status).toBe(405);
    expect((await fetch(`${webhook.url}0`, { method: 'POST' })).status).toBe(404);
    expect(stack.api.runs(PROJECT, 'pushes')).toHaveLength(before);
  });
});

describe('a deleted branch', () => {
  beforeAll(() => createWorkflow(stack, 'cleanups'));

  it('is cleaned up after a while, that branch only, unless it is pushed again', async () => {
    const branches = ['dev', 'develop', 'again'];
    for (const branch of branches)
      await (
        await stack.bitbucket.push({ repo: REPO, branch })
      ).delivered;
    await runsOf(stack, 'cleanups', 3);
    for (const branch of ['dev', 'again'])
      await (
        await stack.bitbucket.deleteBranch({ repo: REPO, branch })
      ).delivered;
    await waitFor(async () => (await pendingCleanups(stack)).includes('again'), {
      what: 'the cleanups to be scheduled',
    });
    await (
      await stack.bitbucket.push({ repo: REPO, branch: 'again' })
    ).delivered;
    await runsOf(stack, 'cleanups', 4);
    expect(await pendingCleanups(stack)).not.toContain('again');

    await waitFor(
      () =>
        stack.api
          .removals()
          .some(({ workflow, branch }) => workflow === 'cleanups' && branch === 'dev'),
      { what: 'the removal of dev' },
    );
    const left = stack.api
      .runs(PROJECT, 'cleanups')
      .map(({ event }) => event.payload['git.branch']);
    expect(left).toEqual(['develop', 'again', 'again']);
    expect(stack.api.removals().map(({ branch }) => branch)).not.toContain('again');
  });

  it('with a slash stays as an error that says why: this CDS cannot remove its runs', async () => {
    await (
      await stack.bitbucket.push({ repo: REPO, branch: 'feat/gone' })
    ).delivered;
    await (
      await stack.bitbucket.deleteBranch({ repo: REPO, branch: 'feat/gone' })
    ).delivered;

    const asked = await waitFor(
      () => stack.api.requests.entries().find(({ url }) => url.includes('feat%2Fgone')),
      { what: 'the call' },
    );
    expect(asked).toMatchObject({ method: 'DELETE', status: 404 });
    const task = await waitFor(
      async () =>
        (await stack.api.tasks()).find(
          ({ type, config }) =>
            type === 'BranchDeletion' && config?.['branch']?.value === 'feat/gone',
        ),
      { what: 'the cleanup among the tasks' },
    );
    const shown = await waitFor(async () => {
      const text = JSON.stringify(await stack.api.callHooks('GET', `/task/${task.uuid}/execution`));
      return /0\.52/.test(text) && text;
    });
    expect(shown).toContain('last_error');
  });
});

describe('a plain webhook', () => {
  it('becomes a run with its flattened body', async () => {
    const { hook } = await stack.api.workflows.createWebhookWorkflow({
      project: PROJECT,
      name: 'plain',
    });
    const url = hook.config['webHookURL']?.value ?? '';
    const answer = await fetch(`${url}?q1=v1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"Key":"V","n":1.5,"nested":{"A":[1,true]}}',
    });
    expect(answer.status).toBe(200);
    const [run] = await runsOf(stack, 'plain', 1);
    expect(run?.event.payload).toMatchObject({
      key: 'V',
      n: '1.5',
      'nested.a.a0': '1',
      'nested.a.a1': 'true',
      q1: 'v1',
      'cds.triggered_by.username': 'cds.webhook',
    });
  });
});

describe('a deleted workflow', () => {
  it('takes its webhook and its task with it', async () => {
    const { hook } = await createWorkflow(stack, 'short-lived');
    const urls = () =>
      [...stack.bitbucket.repository(REPO).webhooks.values()].map(({ url }) => url);
    const url = hook.config['webHookURL']?.value ?? '';
    expect(urls()).toContain(url);

    await stack.api.workflows.deleteWorkflow({ project: PROJECT, name: 'short-lived' });
    expect(urls()).not.toContain(url);
    expect((await stack.api.tasks()).map(({ uuid }) => uuid)).not.toContain(hook.uuid);
    expect((await fetch(url, { method: 'POST' })).status).toBe(404);
  });
});

function accounts() {
  const [commit] = stack.bitbucket.repository(REPO).commits.values();
  if (!commit) throw new Error('no commit');
  return { jane: commit.author };
}
