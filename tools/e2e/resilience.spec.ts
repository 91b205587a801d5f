import { waitFor, takesTime, provesNothingHappensFor } from '@cds/testing';
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

let stack: Stack;
beforeEach(async () => {
  // Where hooks removes the runs of a branch, and is known by a hash.
  stack = await startStack({ api: { cds: '0.41' }, branchDeletionDelaySeconds: 4 });
});
afterEach(() => stack?.stop());

const push = async (branch: string) =>
  outcomes(await stack.bitbucket.push({ repo: REPO, branch, commits: 1 }));
/** Waits until all that Redis was told is in its append-only file. */
async function written(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    await waitFor(async () => /^aof_buffer_length:0\r?$/m.test(await redis.info('persistence')), {
      what: 'the append-only file to be written',
    });
  } finally {
    redis.disconnect();
  }
}
const branchesRun = (workflow: string) =>
  stack.api.runs(PROJECT, workflow).map(({ event }) => event.payload['git.branch']);

describe('hooks restarted between the deletion of a branch and its cleanup', () => {
  it.each([
    ['hooks alone', false],
    ['hooks and Redis, which is killed', true],
  ])('still cleans up: %s', async (_what, redisToo) => {
    const { hooks } = await stack.startLinked();
    await createWorkflow(stack, 'w');
    await push('dev');
    await runsOf(stack, 'w', 1);
    await (
      await stack.bitbucket.deleteBranch({ repo: REPO, branch: 'dev' })
    ).delivered;
    await waitFor(async () => (await pendingCleanups(stack)).includes('dev'), {
      what: 'the cleanup to be scheduled',
    });

    expect(await hooks.stop()).toBe(0);
    if (redisToo) {
      await written(stack.redis.url);
      await stack.redis.kill();
      await stack.redis.start();
    }
    expect(stack.api.removals()).toEqual([]);
    await stack.start('hooks');

    const removal = await waitFor(() => stack.api.removals()[0], {
      what: 'the removal',
    });
    expect(removal).toMatchObject({ workflow: 'w', branch: 'dev', runs: 1 });
  });
});

describe('the API', () => {
  it('may come up after the services', async () => {
    await stack.api.away();
    const [vcs, hooks] = await Promise.all([stack.start('vcs'), stack.start('hooks')]);
    await waitFor(async () => (await fetch(`${hooks.url}/mon/status`)).ok, { what: 'hooks' });
    await waitFor(async () => (await fetch(`${vcs.url}/mon/status`)).ok, { what: 'vcs' });
    await provesNothingHappensFor(1_000);
    // Nobody is let in before the first registration.
    expect((await fetch(`${hooks.url}/task`, { headers: { X_AUTH_HEADER: 'eA==' } })).status).toBe(
      401,
    );

    await stack.api.back();
    await stack.registered(2);
    await stack.connect();
  });

  it('may be away while pushes come in: they are taken, and run when it is back', async () => {
    await stack.startLinked();
    await createWorkflow(stack, 'w');
    await stack.api.away();
    expect(await push('one')).toEqual([200]);
    expect(await push('two')).toEqual([200]);
    await takesTime(1_000);
    await stack.api.back();

    await runsOf(stack, 'w', 2);
    expect(branchesRun('w')).toEqual(['one', 'two']);
  });

  it('may forget the services: they register again, and nothing is lost or counted', async () => {
    await stack.startLinked();
    await createWorkflow(stack, 'w');
    stack.api.forgetServices();
    expect(await push('one')).toEqual([200]);
    await runsOf(stack, 'w', 1);
    expect(stack.api.services().map(({ type }) => type)).toContain('hooks');
  });

  it('may be behind a proxy that fails, or refuse for a while itself', async () => {
    await stack.startLinked({ CDS_HOOKS_RETRYDELAY: '1' });
    await createWorkflow(stack, 'w');
    stack.api.failAsProxy({ count: 2, path: '/runs$' });
    await push('proxy');
    await runsOf(stack, 'w', 1);
    stack.api.failWithCdsError({ count: 2, path: '/runs$' });
    await push('refused');
    await runsOf(stack, 'w', 2);
    // Three tries in all: the third failure ends it, and the next delivery goes on.
    stack.api.failWithCdsError({ count: 3, path: '/runs$' });
    await push('given-up');
    await push('next');
    await runsOf(stack, 'w', 3);
    expect(branchesRun('w')).toEqual(['proxy', 'refused', 'next']);
  });
});

describe('two replicas of hooks', () => {
  it('keep the order of one hook’s deliveries, and lose none when both are killed', async () => {
    const { hooks: first } = await stack.startLinked();
    const second = await stack.start('hooks', { replica: 2 });
    await stack.registered(3);
    await createWorkflow(stack, 'w');
    const [webhook] = stack.bitbucket.repository(REPO).webhooks.values();
    if (!webhook) throw new Error('no webhook');
    const path = new URL(webhook.url).pathname;

    const names = Array.from({ length: 20 }, (_, index) => `b${index}`);
    for (const [index, name] of names.entries()) {
      // As a load balancer in front of them would do it.
      webhook.url = `${index % 2 ? first.url : second.url}${path}`;
      expect(await push(name)).toEqual([200]);
    }
    await runsOf(stack, 'w', names.length);
    expect(branchesRun('w')).toEqual(names);

    webhook.url = `${first.url}${path}`;
    stack.api.faults.order({ fault: { kind: 'slow', ms: 500 }, count: 5, path: '/runs$' });
    const later = ['c0', 'c1', 'c2', 'c3', 'c4'];
    for (const name of later) expect(await push(name)).toEqual([200]);
    await Promise.all([first.stop('SIGKILL'), second.stop('SIGKILL')]);
    expect(branchesRun('w')).not.toContain('c4');
    await stack.start('hooks', { replica: 3 });
    await waitFor(() => later.every((name) => branchesRun('w').includes(name)), {
      what: 'the runs of the killed replicas',
    });
    // What was asked for when they were killed may be asked for again; nothing else is.
    expect(branchesRun('w').length).toBeLessThanOrEqual(names.length + later.length + 1);
  });
});

describe('SIGTERM', () => {
  it('lets hooks finish the run it is asking for, and loses nothing', async () => {
    const { hooks } = await stack.startLinked();
    await createWorkflow(stack, 'w');
    stack.api.faults.order({ fault: { kind: 'slow', ms: 1_500 }, count: 1, path: '/runs$' });
    await push('one');
    await waitFor(() => stack.api.faults.pending() === 0, { what: 'the run to be asked for' });
    await push('two');

    expect(await hooks.stop()).toBe(0);
    await stack.start('hooks');
    await runsOf(stack, 'w', 2);
    await provesNothingHappensFor(1_000);
    expect(branchesRun('w')).toEqual(['one', 'two']);
  });

  it('lets vcs answer what it was asked', async () => {
    const { vcs } = await stack.startLinked();
    stack.bitbucket.faults.order({ fault: { kind: 'slow', ms: 1_500 }, path: '/user/workspaces' });
    const asked = stack.api.repositories(PROJECT);
    await waitFor(() => stack.bitbucket.faults.pending() === 0, { what: 'Bitbucket to be asked' });

    expect(await vcs.stop()).toBe(0);
    expect(await asked).toHaveLength(3);
  });
});
