import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { Handling } from '../stage/api-gate';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

const HOURS_25 = 25 * 3_600_000;
/** Long enough that nothing is due before the clock is put back, on a busy machine, too. */
const DELAY_SECONDS = 60;
const REFUSED: Handling = {
  kind: 'answer',
  status: 500,
  contentType: 'application/json',
  body: JSON.stringify({ id: 1, message: 'internal server error', data: null, uuid: 'sandbox' }),
};

/** Pushes a branch to each hook and deletes it; resolves when the cleanups are scheduled. */
async function deleteBranches(stage: Stage, branch: string): Promise<void> {
  for (const hook of stage.webhooks) {
    await stage.push(hook, `+${branch}`);
    await stage.push(hook, `-${branch}`);
  }
  await stage.worked();
  await sleep(500);
}

function removed(stage: Stage): number {
  return stage.gate.removals.filter(({ servedAt }) => servedAt !== undefined).length;
}

async function mustRemoveAll(stage: Stage): Promise<void> {
  await waitFor(() => removed(stage) >= stage.webhooks.length, {
    what: 'the cleanups that are due by the clock',
  });
}

/** Deliveries that wait for the API, some because it is away and some because it said no. */
async function letWait(stage: Stage): Promise<void> {
  const [first, ...others] = stage.webhooks;
  stage.gate.judge(({ hook }) => (hook === first?.uuid ? REFUSED : { kind: 'drop' }));
  for (const hook of [...others, ...(first ? [first] : [])])
    for (let number = 0; number < 3; number += 1) await stage.push(hook, `+waits-${number}`);
  await sleep(stage.random.between(300, 1_200));
}

export const CLOCK_JUMPS: Fault[] = [
  {
    name: 'clock-forward',
    what: 'the wall clock jumps 25 h ahead; cleanups are due in 24 h, deliveries wait',
    checks: 'cleanups are done then; a delivery sent again makes no second run',
    stage: { wallClocks: true, retryError: 20 },
    seconds: 15,
    async play(stage) {
      await deleteBranches(stage, 'dev');
      const [hook] = stage.webhooks;
      if (!hook) return;
      const resent = stage.sender.prepare(hook, ['+resent']);
      await stage.send(resent);
      await letWait(stage);
      stage.faultBegins();
      mustBe(removed(stage) === 0, 'A cleanup was done a day early.');
      await stage.clocks[0]?.shift(HOURS_25);
      await stage.send(resent);
      await sleep(1_000);
      stage.gate.judge();
      stage.faultEnds();
      await workOn(stage.load());
      await mustRemoveAll(stage);
      await stage.clocks[0]?.shift(0);
      await workOn(stage.load());
      await stage.send(resent);
    },
  },
  {
    name: 'clock-back',
    what: 'the wall clock jumps 25 h back and ahead; cleanups are due in a minute',
    checks: 'deliveries do not wait for it; cleanups are done at their time',
    stage: { wallClocks: true, retryError: 20, cleanupDelaySeconds: DELAY_SECONDS },
    seconds: 25,
    async play(stage) {
      await stage.clocks[0]?.shift(HOURS_25);
      await stage.push(stage.webhooks[0] ?? fail(), '+first');
      await stage.worked();
      for (const hook of stage.webhooks) {
        await stage.push(hook, '+dev');
        await stage.push(hook, '-dev');
      }
      await stage.worked();
      await sleep(200);
      await letWait(stage);
      stage.faultBegins();
      await stage.clocks[0]?.shift(0);
      stage.gate.judge();
      stage.faultEnds();
      await workOn(stage.load());
      await stage.worked();
      await sleep(4_000);
      mustBe(removed(stage) === 0, 'A cleanup was done although its date is 25 h ahead.');
      await stage.clocks[0]?.shift(HOURS_25 + DELAY_SECONDS * 1_000);
      await mustRemoveAll(stage);
    },
  },
  {
    name: 'clock-of-one-replica',
    what: 'one replica’s clock jumps 25 h ahead and back, three times, while the API fails',
    checks: 'order holds over both replicas; no cleanup before some replica’s clock says so',
    stage: { wallClocks: true, retryError: 1_000, replicas: 2, cleanupDelaySeconds: 86_400 },
    seconds: 25,
    async play(stage) {
      await deleteBranches(stage, 'dev');
      const random = stage.random.fork('API');
      stage.gate.judge(({ kind }) =>
        kind === 'removal'
          ? { kind: 'pass' }
          : random.pick([{ kind: 'pass' }, { kind: 'pass' }, { kind: 'drop' }, REFUSED]),
      );
      const load = stage.load({ pauseMs: [100, 400] });
      await load.accepted(10);
      stage.faultBegins();
      const clock = stage.random.pick(stage.clocks);
      for (let times = 0; times < 3; times += 1) {
        await clock.shift(HOURS_25);
        await sleep(stage.random.between(500, 2_500));
        await clock.shift(0);
        await sleep(stage.random.between(500, 2_500));
      }
      stage.gate.judge();
      stage.faultEnds();
      await workOn(load);
    },
  },
];

function fail(): never {
  throw new Error('There is no webhook');
}
