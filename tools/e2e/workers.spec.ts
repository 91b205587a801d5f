import { readFileSync } from 'node:fs';
import { freePort, waitFor } from '@cds/testing';
import {
  createWorkflow,
  outcomes,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Replica,
  type Stack,
} from './stack.fixture';

const WORKFLOW = 'main';
const WORKERS = 3;
const AT_ONCE = 12;

/** Processes that a process has started and that have not ended: at least one. */
function childrenOf(pid: number): [number, ...number[]] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const [first, ...others] = text.split(' ').filter(Boolean).map(Number);
  // Signals to 0 reach this process, too.
  if (!first) throw new Error(`process ${pid} has started no other`);
  return [first, ...others];
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.each(['0.41', '0.57'] as const)('several processes of hooks with CDS %s', (cds) => {
  let stack: Stack;
  let hooks: Replica;
  let pushes = 0;

  beforeAll(async () => {
    stack = await startStack({ api: { cds } });
    ({ hooks } = await stack.startLinked({
      CDS_HOOKS_WORKERS: String(WORKERS),
      CDS_LOG_LEVEL: 'debug',
    }));
    await createWorkflow(stack, WORKFLOW);
    await listening(WORKERS);
  });
  afterAll(() => stack?.stop());

  const lines = (): Record<string, unknown>[] =>
    hooks.process
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const listening = (count: number) =>
    waitFor(() => lines().filter(({ msg }) => msg === 'listening').length >= count, {
      what: `${count} processes to listen`,
    });

  async function push(count: number): Promise<void> {
    const pushed = await Promise.all(
      Array.from({ length: count }, () => {
        pushes += 1;
        return stack.bitbucket.push({ repo: REPO, branch: `b${pushes}` });
      }),
    );
    for (const one of pushed) expect(await outcomes(one)).toEqual([200]);
  }

  /** Pushes until each process has stored one since now, and runs are there for all. */
  async function pushToAll(): Promise<void> {
    const before = lines().length;
    const seen = new Set<unknown>();
    await waitFor(
      async () => {
        await push(AT_ONCE);
        for (const { msg, worker = 'main' } of lines().slice(before))
          if (msg === 'delivery accepted') seen.add(worker);
        return seen.size === WORKERS;
      },
      { what: `${WORKERS} processes to store deliveries` },
    );
    await runsOf(stack, WORKFLOW, pushes);
    const branches = stack.api
      .runs(PROJECT, WORKFLOW)
      .map(({ event }) => event.payload['git.branch']);
    expect(branches).toHaveLength(pushes);
    expect(new Set(branches).size).toBe(pushes);
  }

  it('store deliveries at one port, and ask for each run once', async () => {
    await pushToAll();
    expect(
      stack.api
        .services()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['e2e-hooks', 'e2e-vcs']);
  });

  it('answer the API alike', async () => {
    const lists = await Promise.all(Array.from({ length: AT_ONCE }, () => stack.api.tasks()));
    for (const tasks of lists) expect(tasks).toHaveLength(1);
    const refused = await fetch(`${hooks.url}/task`);
    expect(refused.status).toBe(401);
  });

  it('count together', async () => {
    const counted = await waitFor(
      async () => {
        const text = await (await fetch(`${hooks.url}/mon/metrics`)).text();
        const match = /^cds_hooks_deliveries_total\{result="accepted"\} (\d+)$/m.exec(text);
        return Number(match?.[1]) === pushes ? text : undefined;
      },
      { what: 'all deliveries to be counted' },
    );
    expect(/^cds_hooks_tasks\{.*RepoWebHook.*\} (\d+)$/m.exec(counted)?.[1] ?? '1').toBe('1');
    expect(/^cds_hooks_redis_up (\d)$/m.exec(counted)?.[1]).toBe('1');
  });

  it('go on when one of them is killed, which is started again', async () => {
    const [killed] = childrenOf(hooks.process.pid);
    const before = lines().filter(({ msg }) => msg === 'listening').length;
    const pushing = push(AT_ONCE).catch((error: unknown) => error);
    process.kill(killed, 'SIGKILL');
    // A delivery may have met the process that was killed: Bitbucket sends it again.
    await pushing;
    await listening(before + 1);
    expect(lines()).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        signal: 'SIGKILL',
        msg: 'worker process ended: starting it again',
      }),
    );
    await pushToAll();
  });

  it('share one session, also after it has expired or the API has another key', async () => {
    if (cds === '0.41') {
      stack.api.forgetServices('hooks');
      await pushToAll();
      stack.api.restart();
    } else {
      stack.api.sessions.passTime(3_600);
      await pushToAll();
      stack.api.sessions.rotateKey();
    }
    await pushToAll();
    await waitFor(() => Promise.all(Array.from({ length: AT_ONCE }, () => stack.api.tasks())), {
      what: 'all processes to know the key of the API',
    });
  });

  it('end together with 0, at whatever processes a signal comes', async () => {
    const children = childrenOf(hooks.process.pid);
    expect(children).toHaveLength(WORKERS - 1);
    for (const child of children) process.kill(child, 'SIGTERM');
    expect(await hooks.stop()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
    expect(stack.api.violations()).toEqual([]);
  });

  it('end when the main process is killed', async () => {
    const publicPort = String(await freePort());
    const again = await stack.start('hooks', {
      env: {
        ...{ CDS_HOOKS_WORKERS: '2', CDS_HOOKS_HTTP_PUBLICPORT: publicPort },
        CDS_HOOKS_HTTP_STOPDELAY: '60',
      },
    });
    await again.process.waitForOutput(
      new RegExp(`"worker":"2".*"port":${publicPort}.*"msg":"listening"`),
    );
    const [child] = childrenOf(again.process.pid);
    await again.stop('SIGKILL');
    await waitFor(() => !isRunning(child), { what: 'the worker process to end' });
  });
});
