import { setTimeout as sleep } from 'node:timers/promises';
import type { Handling } from '../stage/api-gate';
import type { PreparedDelivery } from '../stage/sender';
import type { Stage } from '../stage/stage';
import { workOn, type Fault } from './fault';

const HOURS_25 = 25 * 3_600_000;

/** What may happen next, while the rest of it goes on. */
const MISHAPS: readonly ((stage: Stage) => Promise<void>)[] = [
  async (stage) => {
    const victim = stage.random.pick(stage.replicas);
    await stage.kill(victim);
    await sleep(stage.random.between(0, 1_500));
    await victim.start();
  },
  async (stage) => {
    const victim = stage.random.pick(stage.replicas);
    await victim.stop();
    await sleep(stage.random.between(0, 500));
    await victim.start();
  },
  async (stage) => {
    await stage.redis.kill();
    await sleep(stage.random.between(0, 1_500));
    await stage.redis.start();
  },
  async (stage) => {
    stage.redis.freeze();
    await sleep(stage.random.between(200, 3_000));
    stage.redis.thaw();
  },
  async (stage) => {
    const clock = stage.random.pick(stage.clocks);
    await clock.shift(stage.random.pick([HOURS_25, -HOURS_25]));
    await sleep(stage.random.between(200, 3_000));
    await clock.shift(0);
  },
  async (stage) => {
    const random = stage.random.fork('API');
    const handlings: Handling[] = [
      { kind: 'drop' },
      { kind: 'lose-answer' },
      { kind: 'slow', ms: 500 },
      { kind: 'answer', status: 502, contentType: 'text/html', body: '<h1>502</h1>' },
    ];
    stage.gate.judge(() => (random.fraction() < 0.5 ? { kind: 'pass' } : random.pick(handlings)));
    await sleep(stage.random.between(500, 2_000));
    stage.gate.judge();
  },
  async (stage) => {
    await stage.gate.away();
    await sleep(stage.random.between(200, 2_000));
    await stage.gate.back();
  },
  async (stage) => {
    stage.api.forgetServices();
    await sleep(100);
  },
];

/** Sends what Bitbucket sends again, what others forge, and deletions, until `isOver`. */
async function disturb(stage: Stage, isOver: () => boolean): Promise<void> {
  const random = stage.random.fork('disturbance');
  const sent: PreparedDelivery[] = [];
  const gone = new Set<string>();
  while (!isOver()) {
    const hook = random.pick(stage.webhooks);
    const names = random.shuffled(['a', 'b', 'c/d']).slice(0, random.between(1, 2));
    // What is gone has to be pushed before it can be deleted again.
    const changes = names.map(
      (name) => (gone.has(`${hook.uuid} ${name}`) ? '+' : random.pick(['+', '-'])) + name,
    );
    const what = random.pick(['new', 'new', 'again', 'forged', 'unsigned'] as const);
    const isAgain = what === 'again' && sent.length > 0;
    const delivery = isAgain
      ? random.pick(sent)
      : stage.sender.prepare(
          hook,
          changes,
          what === 'forged' || what === 'unsigned' ? what : 'right',
        );
    if (!isAgain && delivery.signature === 'right') {
      sent.push(delivery);
      for (const { kind, branch } of delivery.changes) {
        const name = `${delivery.hook.uuid} ${branch}`;
        if (kind === 'deletion') gone.add(name);
        else gone.delete(name);
      }
    }
    await stage.send(delivery);
    await sleep(random.between(10, 250));
  }
}

export const SEVERAL_AT_ONCE: Fault[] = [
  {
    name: 'several-at-once',
    what: 'all these faults at random, with two replicas and six hooks (`--long`: sixty)',
    doubles: {
      most: 60,
      mostWithLong: 600,
      because: 'one a hook at each kill, one for each lost answer',
    },
    stage: { replicas: 2, hooks: 6, wallClocks: true, cleanupDelaySeconds: 3, retryError: 1_000 },
    seconds: 50,
    async play(stage) {
      const load = stage.load({ pauseMs: [50, 400] });
      await load.accepted(10);
      let isOver = false;
      const disturbing = disturb(stage, () => isOver);
      stage.faultBegins();
      for (let mishaps = stage.long ? 60 : 6; mishaps > 0; mishaps -= 1) {
        const mishap = stage.random.between(0, MISHAPS.length - 1);
        stage.note(`mishap ${mishap}`);
        await MISHAPS[mishap]?.(stage);
        await sleep(stage.random.between(0, 1_000));
      }
      stage.faultEnds();
      isOver = true;
      await disturbing;
      await workOn(load);
      await stage.worked();
      await sleep(4_000);
    },
  },
];
