import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { Task } from '@cds/wire';
import type { Workflow } from '@cds/stand-ins/cds-api';
import { checkSchedule, type WatchedSchedule } from '../checker/check-schedule';
import { TAKE_DUE } from '../hooks-internals';
import { atWork } from '../stage/replica-status';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

const EVERY_SECOND = '* * * * * * *';
const PERIOD_MS = 1_000;
/** A second is promised; the rest is for a machine that is slow and busy. */
const WITHIN_MS = 10_000;
/**
 * From the end of a fault until everything is punctual again: what was missed is made up for first.
 */
const PUNCTUAL_AFTER_MS = 15_000;
/** Times that were missed for longer than this are left out, but for the last one. */
const MISSED_MS = 10_000;
const PROJECT = 'SHOP';

const executionsOf = async (stage: Stage, { hook }: Workflow) => {
  const task = (await stage.api.callHooks('GET', `/task/${hook.uuid}/execution`)) as Task;
  return (task.executions ?? []).filter(({ status }) => status !== 'SCHEDULED').reverse();
};

const runsOf = (stage: Stage, { name }: Workflow) => stage.api.runs(PROJECT, name);

async function startSchedule(stage: Stage): Promise<Workflow> {
  const workflow = await stage.api.workflows.createSchedulerWorkflow({
    project: PROJECT,
    name: 'scheduled',
    cron: EVERY_SECOND,
    payload: '{"git.branch": "main"}',
  });
  await moreRuns(stage, workflow, 3);
  return workflow;
}

async function moreRuns(stage: Stage, workflow: Workflow, count: number): Promise<void> {
  const before = runsOf(stage, workflow).length;
  await waitFor(() => runsOf(stage, workflow).length >= before + count, {
    what: `${count} more runs of the scheduler`,
  });
}

/**
 * Makes the scheduler due in years, waits until all that it asked for is done, and checks every one
 * of its times.
 */
async function endSchedule(
  stage: Stage,
  workflow: Workflow,
  expected: { mostDoubles?: number; away?: WatchedSchedule['away'] } = {},
): Promise<void> {
  const { hook } = workflow;
  const cron = { ...hook.config['cron'], value: '0 0 29 2 *' };
  // Redis may be too slow for it on a busy machine.
  const change = { ...hook, config: { ...hook.config, cron } };
  await waitFor(() => stage.api.callHooks('PUT', `/task/${hook.uuid}`, change).then(() => true), {
    what: 'the scheduler to be due in years',
  });
  await waitFor(
    async () => (await executionsOf(stage, workflow)).every(({ status }) => status === 'DONE'),
    { what: 'the runs of the scheduler' },
  );
  const executions = await executionsOf(stage, workflow);
  const violations = checkSchedule({
    hook: hook.uuid,
    periodMs: PERIOD_MS,
    executions: executions.map(({ timestamp, workflow_run }) => ({
      time: timestamp / 1e6,
      run: workflow_run,
    })),
    runs: runsOf(stage, workflow).map(({ number, askedAt }) => ({
      number,
      askedAt: Date.parse(askedAt),
    })),
    mostDoubles: expected.mostDoubles ?? 0,
    ...(expected.away ? { away: expected.away } : {}),
    withinMs: WITHIN_MS,
    fault: {
      from: stage.history.faultBeganAt,
      until: stage.history.faultEndedAt + PUNCTUAL_AFTER_MS,
    },
  });
  mustBe(violations.length === 0, violations.map(({ sentence }) => sentence).join(' '));
}

export const SCHEDULERS: Fault[] = [
  {
    name: 'scheduler-replica-killed',
    what: 'one of two replicas is killed five times around the times of a scheduler',
    checks: 'no time is left out',
    doubles: { most: 15, because: 'one a hook at each kill' },
    stage: { replicas: 2 },
    seconds: 35,
    async play(stage) {
      const workflow = await startSchedule(stage);
      const load = stage.load();
      await load.accepted(5);
      stage.faultBegins();
      for (let kills = 0; kills < 5; kills += 1) {
        const replica = stage.random.pick([...stage.replicas]);
        await sleep(PERIOD_MS - (Date.now() % PERIOD_MS) + stage.random.between(-100, 200));
        await stage.kill(replica);
        await sleep(stage.random.between(100, 800));
        await replica.start();
        // On a busy machine seconds pass between both. Were the other one killed meanwhile, nobody
        // would be there, and what is missed for over 10 s is left out.
        await atWork(replica);
      }
      stage.faultEnds();
      await workOn(load);
      await sleep(PUNCTUAL_AFTER_MS);
      await moreRuns(stage, workflow, 5);
      await endSchedule(stage, workflow, { mostDoubles: 5 });
    },
  },
  {
    name: 'scheduler-killed',
    what: '`hooks` is killed between storing a due time and working on it',
    checks: 'that time and each that passes meanwhile have their runs',
    doubles: { most: 3, because: 'one a hook' },
    stage: { redisProxy: true },
    seconds: 35,
    async play(stage) {
      const workflow = await startSchedule(stage);
      const load = stage.load();
      await load.accepted(5);
      stage.faultBegins();
      await stage.proxy.reached({ script: TAKE_DUE, when: 'after' });
      const from = Date.now();
      await stage.kill(stage.hooks);
      await sleep(stage.random.between(100, 3_000));
      await stage.hooks.start();
      await atWork(stage.hooks);
      const readyAt = Date.now();
      stage.faultEnds();
      await workOn(load);
      await moreRuns(stage, workflow, 5);
      await endSchedule(stage, workflow, {
        // The kill may also hit the run of the time before, between the API's yes and what was made
        // of it.
        mostDoubles: 1,
        // The start takes that long on a busy machine.
        ...(readyAt - from > MISSED_MS ? { away: { from, until: from, readyAt } } : {}),
      });
    },
  },
  {
    name: 'scheduler-all-down',
    what: 'both replicas are down for 15 s while a scheduler is due every second',
    checks: 'the last missed time runs once, late; earlier ones never',
    doubles: { most: 3, because: 'one a hook' },
    stage: { replicas: 2 },
    seconds: 60,
    async play(stage) {
      const workflow = await startSchedule(stage);
      stage.faultBegins();
      const from = Date.now();
      await Promise.all(stage.replicas.map((replica) => stage.kill(replica)));
      const before = runsOf(stage, workflow).length;
      await sleep(15_000);
      mustBe(runsOf(stage, workflow).length === before, 'A run came though no process ran.');
      const until = Date.now();
      await Promise.all(stage.replicas.map((replica) => replica.start()));
      await Promise.all(stage.replicas.map(atWork));
      const away = { from, until, readyAt: Date.now() };
      stage.faultEnds();
      await moreRuns(stage, workflow, 5);
      await workOn(stage.load());
      await endSchedule(stage, workflow, { mostDoubles: 1, away });
      const missed = (await executionsOf(stage, workflow)).filter(
        ({ timestamp }) =>
          timestamp / 1e6 > away.from + PERIOD_MS && timestamp / 1e6 <= away.until - PERIOD_MS,
      );
      mustBe(missed.length === 0, `${missed.length} times that were long past were run.`);
    },
  },
];
