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
  type Replica,
  type Stack,
} from './stack.fixture';

let stack: Stack;
/** Of the tests of one `describe`. */
function startsStack(): void {
  beforeAll(async () => {
    // Where hooks removes the runs of a branch, and is known by a hash.
    stack = await startStack({ api: { cds: '0.41' }, branchDeletionDelaySeconds: 4 });
  });
  afterAll(() => stack?.stop());
}

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
  let hooks: Replica;
  startsStack();
  beforeAll(async () => {
    ({ hooks } = await stack.startLinked());
    await createWorkflow(stack, 'w');
  });

  it.each([
    ['hooks alone', 'dev', false],
    ['hooks and Redis, which is killed', 'other', true],
  ])('still cleans up: %s', async (_what, branch, redisToo) => {
    const before = stack.api.removals().length;
    await push(branch);
    await runsOf(stack, 'w', 1);
    await (
      await stack.bitbucket.deleteBranch({ repo: REPO, branch })
    ).delivered;
    await waitFor(async () => (await pendingCleanups(stack)).includes(branch), {
      what: 'the cleanup to be scheduled',
    });

    expect(await hooks.stop()).toBe(0);
    if (redisToo) {
      await written(stack.redis.url);
      await stack.redis.kill();
      await stack.redis.start();
    }
    expect(stack.api.removals()).toHaveLength(before);
    hooks = await stack.start('hooks');

    const removal = await waitFor(() => stack.api.removals()[before], {
      what: 'the removal',
    });
    expect(removal).toMatchObject({ workflow: 'w', branch, runs: 1 });
  });
});

describe('the API', () => {
  startsStack();

  let vcs: Replica;
  let hooks: Replica;
  beforeAll(async () => {
    await stack.api.away();
    [vcs, hooks] = await Promise.all([stack.start('vcs'), stack.start('hooks')]);
  });

  /** Both services are known, and one workflow. @returns how many runs it has */
  async function haveWorkflow(): Promise<number> {
    await stack.api.back();
    await stack.registered(2);
    if (stack.bitbucket.repository(REPO).webhooks.size === 0) {
      await stack.connect();
      await createWorkflow(stack, 'w');
    }
    return branchesRun('w').length;
  }

  it('may come up after the services', async () => {
    await waitFor(async () => (await fetch(`${hooks.url}/mon/status`)).ok, { what: 'hooks' });
    await waitFor(async () => (await fetch(`${vcs.url}/mon/status`)).ok, { what: 'vcs' });
    await provesNothingHappensFor(1_000);
    // Nobody is let in before the first registration.
    expect((await fetch(`${hooks.url}/task`, { headers: { X_AUTH_HEADER: 'eA==' } })).status).toBe(
      401,
    );

    await haveWorkflow();
  });

  it('may be away while pushes come in: they are taken, and run when it is back', async () => {
    const before = await haveWorkflow();
    await stack.api.away();
    expect(await push('one')).toEqual([200]);
    expect(await push('two')).toEqual([200]);
    await takesTime(1_000);
    await stack.api.back();

    await runsOf(stack, 'w', before + 2);
    expect(branchesRun('w').slice(before)).toEqual(['one', 'two']);
  });

  it('may forget the services: they register again, and nothing is lost or counted', async () => {
    const before = await haveWorkflow();
    stack.api.forgetServices();
    expect(await push('three')).toEqual([200]);
    await runsOf(stack, 'w', before + 1);
    expect(stack.api.services().map(({ type }) => type)).toContain('hooks');
  });
});

describe('the API, which is asked again after a second', () => {
  startsStack();

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
  startsStack();

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
  let services: { vcs: Replica; hooks: Replica };
  startsStack();
  beforeAll(async () => {
    services = await stack.startLinked();
  });

  it('lets hooks finish the run it is asking for, and loses nothing', async () => {
    await createWorkflow(stack, 'w');
    stack.api.faults.order({ fault: { kind: 'slow', ms: 1_500 }, count: 1, path: '/runs$' });
    await push('one');
    await waitFor(() => stack.api.faults.pending() === 0, { what: 'the run to be asked for' });
    await push('two');

    expect(await services.hooks.stop()).toBe(0);
    await stack.start('hooks');
    await runsOf(stack, 'w', 2);
    await provesNothingHappensFor(1_000);
    expect(branchesRun('w')).toEqual(['one', 'two']);
  });

  it('lets vcs answer what it was asked', async () => {
    stack.bitbucket.faults.order({ fault: { kind: 'slow', ms: 1_500 }, path: '/user/workspaces' });
    const asked = stack.api.repositories(PROJECT);
    await waitFor(() => stack.bitbucket.faults.pending() === 0, { what: 'Bitbucket to be asked' });

    expect(await services.vcs.stop()).toBe(0);
    expect(await asked).toHaveLength(3);
  });
});
