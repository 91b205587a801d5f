import { waitFor } from '@cds/testing';
import type { Task, TaskExecution } from '@cds/wire';
import { PROJECT, runsOf, startStack, type Replica, type Stack } from './stack.fixture';

const EVERY_SECOND = '* * * * * * *';
const HISTORY = { CDS_HOOKS_EXECUTIONHISTORY: '1000' };

let stack: Stack;
/** Of the tests of one `describe`. */
function startsStack(): void {
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack?.stop());
}

const schedule = (
  name: string,
  cron: string,
  change: { timezone?: string; payload?: string } = {},
) => stack.api.workflows.createSchedulerWorkflow({ project: PROJECT, name, cron, ...change });

/** The executions that were due, oldest first. */
async function executions(uuid: string): Promise<TaskExecution[]> {
  const task = (await stack.api.callHooks('GET', `/task/${uuid}/execution`)) as Task;
  return (task.executions ?? []).filter(({ status }) => status !== 'SCHEDULED').reverse();
}

/** Seconds that passed unseen on a machine that is held up: the log names each. */
function timesMissed(replicas: Replica[]): Set<number> {
  const lines = replicas.flatMap((replica) => replica.process.stdout().split('\n'));
  return new Set(
    lines
      .filter((line) => line.includes('scheduled run is late, missed ones before it are skipped'))
      .map((line) => JSON.parse(line) as { due: string; time: string })
      .flatMap(({ due, time }) => {
        const [from, to] = [Date.parse(due), Date.parse(time)];
        return Array.from({ length: (to - from) / 1_000 }, (_, index) => from + 1_000 * index);
      }),
  );
}

describe('a workflow with a scheduler', () => {
  startsStack();
  beforeAll(async () => {
    await stack.start('hooks', { env: HISTORY });
    await stack.registered(1);
  });

  it('is not saved with a mistake in it: the answer says where', async () => {
    await expect(schedule('w', '0 25 * * *')).rejects.toThrow(
      'cron: field 2 (hour) at column 3: 25 is beyond 23',
    );
    await expect(schedule('w', '@daily', { timezone: 'Europe/Pari' })).rejects.toThrow(
      /timezone: .*Europe\/Pari.* is no time zone/,
    );
    expect(await stack.api.tasks()).toEqual([]);
  });

  it('runs at its times, shows its next one, and ends with its workflow', async () => {
    const { hook } = await schedule('w', EVERY_SECOND, { payload: '{"git.branch": "main"}' });
    const runs = await runsOf(stack, 'w', 3);
    expect(runs[0]?.event).toMatchObject({
      uuid: hook.uuid,
      payload: {
        'git.branch': 'main',
        payload: '{"git.branch": "main"}',
        'cds.triggered_by.username': 'cds.scheduler',
        'cds.triggered_by.fullname': 'CDS Scheduler',
      },
    });
    const [task] = await stack.api.tasks();
    expect(task).toMatchObject({ type: 'Scheduler', stopped: false });
    const one = (await stack.api.callHooks('GET', `/task/${hook.uuid}/execution`)) as Task;
    expect(one.executions?.[0]).toMatchObject({ status: 'SCHEDULED', processing_timestamp: 0 });

    await stack.api.workflows.deleteWorkflow({ project: PROJECT, name: 'w' });
    expect(await stack.api.tasks()).toEqual([]);
  });
});

describe('a workflow with a scheduler, and replicas that end,', () => {
  startsStack();

  it('skips and repeats no time when a replica is killed, and when all are started again', async () => {
    const first = await stack.start('hooks', { env: HISTORY });
    await stack.registered(1);
    const second = await stack.start('hooks', { env: HISTORY, replica: 2 });
    await stack.registered(2);
    const { hook } = await schedule('w', EVERY_SECOND);
    const ran = () => stack.api.runs(PROJECT, 'w').length;
    await runsOf(stack, 'w', 3);

    await first.stop('SIGKILL');
    // Whoever was killed at work is given up for dead after some seconds.
    await runsOf(stack, 'w', ran() + 3);
    expect(await second.stop()).toBe(0);
    const third = await stack.start('hooks', { env: HISTORY, replica: 3 });
    await runsOf(stack, 'w', ran() + 3);
    await stack.api.callHooks('PUT', `/task/${hook.uuid}`, {
      ...hook,
      config: { ...hook.config, cron: { ...hook.config['cron'], value: '0 0 29 2 *' } },
    });
    await waitFor(
      async () => (await executions(hook.uuid)).every(({ status }) => status === 'DONE'),
      { what: 'all times to be worked off' },
    );

    const times = (await executions(hook.uuid)).map(({ timestamp }) => timestamp / 1e6);
    const missed = timesMissed([first, second, third]);
    const all = Array.from(
      { length: ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000 + 1 },
      (_, index) => (times[0] ?? 0) + 1_000 * index,
    );
    expect(times).toEqual(all.filter((time) => !missed.has(time)));
    // The one case there is: killed between the API's yes and what was made of it.
    expect(ran() - times.length).toBeGreaterThanOrEqual(0);
    expect(ran() - times.length).toBeLessThanOrEqual(1);
    const numbers = (await executions(hook.uuid)).map(({ workflow_run }) => workflow_run);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
