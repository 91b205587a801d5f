import { waitFor } from '@cds/testing';
import type { CdsApiOptions } from '@cds/stand-ins/cds-api';
import type { Task, TaskExecution } from '@cds/wire';
import { Redis } from 'ioredis';
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

const POLLING = { CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_POLLING: 'true' };
const RECONCILE = { CDS_HOOKS_RECONCILE_INTERVAL: '3600' };
const POLLS = 'cdsbb:hooks:polls';
/**
 * It is in a payload several times, and Bitbucket drops payloads from 256 KB on, and tells nobody.
 */
const TOO_LONG = 'x'.repeat(90_000);

let stack: Stack;
let client: Redis;
/** Both services, of the tests of one `describe`. */
function useServices(
  env: { vcs?: Record<string, string>; hooks?: Record<string, string> },
  api: CdsApiOptions = {},
): void {
  beforeAll(async () => {
    stack = await startStack({ api: { cds: '0.41', ...api }, branchDeletionDelaySeconds: 3600 });
    client = new Redis(stack.redis.url);
    await stack.start('vcs', { env: env.vcs ?? {} });
    await stack.start('hooks', { env: { CDS_HOOKS_EXECUTIONHISTORY: '100', ...env.hooks } });
    await stack.registered(2);
    await stack.api.linkProject(PROJECT);
  });
  afterAll(async () => {
    client?.disconnect();
    await stack?.stop();
  });
}

const pollsOf = (uuid: string) =>
  stack.api.requests.entries().filter(({ url }) => url.startsWith(`/hook/${uuid}/`));

/** Lets the next poll of a hook be due, and waits until it is over. */
async function poll(uuid: string): Promise<void> {
  await waitFor(() => client.zscore(POLLS, uuid), { what: 'it to be polled' });
  const asked = Date.now();
  await client.zadd(POLLS, 1, uuid);
  const over = async () => Number(await client.hget(`cdsbb:hooks:task:${uuid}`, 'polled_at'));
  await waitFor(async () => (await over()) >= asked, { what: 'the poll' });
}

async function executions(uuid: string): Promise<TaskExecution[]> {
  const task = (await stack.api.callHooks('GET', `/task/${uuid}/execution`)) as Task;
  return task.executions ?? [];
}

const next = async (uuid: string) =>
  (await executions(uuid)).find(({ status }) => status === 'SCHEDULED');
const worked = async (uuid: string) =>
  (await executions(uuid)).filter(({ status }) => status !== 'SCHEDULED');

describe('a workflow with a Git Repository Poller', () => {
  useServices({ vcs: POLLING });

  it('runs for what was pushed since, through both services and the API', async () => {
    const { hook } = await stack.api.workflows.createPollerWorkflow({
      ...{ project: PROJECT, name: 'w', repo: REPO, payload: '{"to": "prod"}' },
    });
    // The first look has nothing to compare with.
    await waitFor(() => pollsOf(hook.uuid).length === 1);
    await poll(hook.uuid);
    expect(stack.api.runs(PROJECT, 'w')).toEqual([]);

    const { hash } = await stack.bitbucket.push({ repo: REPO, branch: 'feat/a b', message: 'M\n' });
    await poll(hook.uuid);

    const [run] = await runsOf(stack, 'w', 1);
    expect(run?.event).toMatchObject({
      uuid: hook.uuid,
      payload: {
        to: 'prod',
        'git.branch': 'feat/a b',
        'git.hash': hash,
        'git.message': 'M\n',
        'git.repository': REPO,
      },
    });
    await poll(hook.uuid);
    expect(stack.api.runs(PROJECT, 'w')).toHaveLength(1);
    expect(await worked(hook.uuid)).toHaveLength(1);

    await stack.api.workflows.deleteWorkflow({ project: PROJECT, name: 'w' });
    expect(await stack.api.tasks()).toEqual([]);
  });
});

describe('a workflow with a Git Repository Poller', () => {
  useServices({});

  it('is kept and listed, and not started, where nothing is polled', async () => {
    const { hook } = await stack.api.workflows.createPollerWorkflow({
      ...{ project: PROJECT, name: 'w', repo: REPO },
    });
    const reason = 'does not offer polling';
    await waitFor(async () => (await next(hook.uuid))?.last_error?.includes(reason));
    await stack.api.callHooks('GET', `/task/${hook.uuid}/stop`);
    await expect(stack.api.callHooks('GET', `/task/${hook.uuid}/start`)).rejects.toThrow(reason);
    expect((await stack.api.tasks())[0]).toMatchObject({ type: 'RepoPoller', stopped: true });
  });
});

/** What the API asked `vcs` for. */
function vcsFilters(): string[] {
  const asked = stack.api.calls().flatMap(({ url }) => /events\?filter=(\w+)/.exec(url)?.[1] ?? []);
  return [...new Set(asked)].toSorted();
}

/** A branch that was seen, whose deletion no webhook tells of. */
async function deleteUnheard(workflow: string, repo: string) {
  const { hook } = await createWorkflow(stack, workflow, repo);
  await outcomes(await stack.bitbucket.push({ repo, branch: 'old' }));
  await runsOf(stack, workflow, 1);
  await poll(hook.uuid);
  // Bitbucket gives up after three attempts.
  const url = hook.config['webHookURL']?.value;
  const webhook = [...stack.bitbucket.repository(repo).webhooks.values()].find(
    (one) => one.url === url,
  );
  if (!webhook) throw new Error('the workflow has a webhook');
  webhook.url = 'http://127.0.0.1:9/';
  await outcomes(await stack.bitbucket.deleteBranch({ repo, branch: 'old' }));
  expect(await pendingCleanups(stack)).toEqual([]);
  return hook;
}

// Each with a workflow and a repository of its own.
describe('hooks.reconcile.interval', () => {
  useServices({ vcs: POLLING, hooks: RECONCILE });

  it('finds what no webhook told of; a delivery that comes late leads to nothing', async () => {
    const { hook } = await createWorkflow(stack, 'w');
    await outcomes(await stack.bitbucket.push({ repo: REPO, branch: 'seen' }));
    await runsOf(stack, 'w', 1);
    await poll(hook.uuid);
    await outcomes(await stack.bitbucket.push({ repo: REPO, branch: 'seen' }));
    await runsOf(stack, 'w', 2);

    const lost = await stack.bitbucket.push({ repo: REPO, branch: 'big', message: TOO_LONG });
    const [delivery] = await lost.delivered;
    expect(delivery).toMatchObject({ dropped: true, attempts: [] });
    await poll(hook.uuid);
    const runs = await runsOf(stack, 'w', 3);
    expect(runs[2]?.event.payload).toMatchObject({ 'git.branch': 'big', 'git.hash': lost.hash });

    if (!delivery) throw new Error('there was a delivery');
    const { url, headers, body } = delivery;
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
    await waitFor(async () => (await worked(hook.uuid)).length === 4);
    await waitFor(async () => (await worked(hook.uuid))[0]?.status === 'DONE');
    expect((await worked(hook.uuid))[0]).toMatchObject({
      workflow_run: 0,
      last_error: expect.stringContaining('found by a poll before') as unknown,
    });
    expect(stack.api.runs(PROJECT, 'w')).toHaveLength(3);
  });

  it('finds no branch that was deleted while nobody heard of it, since the API does not ask', async () => {
    const repo = 'acme/payments';
    const hook = await deleteUnheard('unheard', repo);

    await poll(hook.uuid);
    // What was pushed after that is found: the look is over.
    await outcomes(await stack.bitbucket.push({ repo, branch: 'new' }));
    await poll(hook.uuid);
    await runsOf(stack, 'unheard', 2);

    expect(await pendingCleanups(stack)).toEqual([]);
    expect(vcsFilters()).toEqual(['pullrequests', 'push']);
  });
});

describe('hooks.reconcile.interval, of a branch that was deleted while nobody heard of it,', () => {
  useServices({ vcs: POLLING, hooks: RECONCILE }, { asksForDeletions: true });

  it('finds it where an API asks for deletions', async () => {
    const hook = await deleteUnheard('w', REPO);

    await poll(hook.uuid);

    await waitFor(async () => (await pendingCleanups(stack)).length === 1);
    expect(await pendingCleanups(stack)).toEqual(['old']);
    expect(vcsFilters()).toEqual(['create', 'delete', 'pullrequests', 'push']);
  });
});
