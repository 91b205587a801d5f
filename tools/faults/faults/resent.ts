import { setTimeout as sleep } from 'node:timers/promises';
import type { SentDelivery } from '../checker/history';
import type { PreparedDelivery } from '../stage/sender';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

/** The second one is told of the first, so that its sender finds the one execution. */
function mustBeOne(answers: SentDelivery[]): void {
  for (const { status, requestUuid } of answers)
    mustBe(
      status === 200,
      `The delivery ${requestUuid} sent again was answered ${String(status)}.`,
    );
  const timestamps = new Set(answers.map(({ timestamp }) => timestamp));
  mustBe(timestamps.size === 1, 'Deliveries with the same X-Request-UUID were answered as two.');
}

/**
 * Sends as Bitbucket does: again while it is answered 5xx or not at all, with the same
 * X-Request-UUID.
 */
async function sendUntilTaken(stage: Stage, delivery: PreparedDelivery): Promise<SentDelivery> {
  for (;;) {
    const sent = await stage.send(delivery);
    if (sent.status === 200) return sent;
    await sleep(stage.random.between(50, 300));
  }
}

function prepareOne(stage: Stage, number: number): PreparedDelivery {
  return stage.sender.prepare(stage.random.pick(stage.webhooks), [`+resent-${number}`]);
}

export const RESENT: Fault[] = [
  {
    name: 'resent-later',
    what: 'deliveries come again: while they wait, after their run, after kills of `hooks` and Redis',
    checks: 'each is answered 200 with the first timestamp',
    seconds: 12,
    async play(stage) {
      const load = stage.load();
      stage.faultBegins();
      const deliveries = Array.from({ length: 8 }, (_, number) => prepareOne(stage, number));
      const first = await Promise.all(deliveries.map((delivery) => stage.send(delivery)));
      const again = async (): Promise<void> => {
        for (const [index, delivery] of deliveries.entries()) {
          const one = first[index];
          if (one) mustBeOne([one, await sendUntilTaken(stage, delivery)]);
        }
      };
      await again();
      await stage.worked();
      await again();
      await stage.redis.kill();
      await stage.redis.start();
      await again();
      await stage.kill(stage.hooks);
      await stage.hooks.start();
      stage.faultEnds();
      await again();
      await workOn(load);
    },
    doubles: { most: 3, because: 'one a hook' },
  },
  {
    name: 'resent-at-once',
    what: 'two replicas get the same delivery at once, forty times',
    checks: 'both answer 200 with the same timestamp',
    stage: { replicas: 2 },
    seconds: 8,
    async play(stage) {
      const load = stage.load();
      stage.faultBegins();
      for (let number = 0; number < 40; number += 1) {
        const delivery = prepareOne(stage, number);
        mustBeOne(
          await Promise.all(stage.replicas.map((replica) => stage.send(delivery, replica))),
        );
      }
      stage.faultEnds();
      await workOn(load);
    },
  },
  {
    name: 'resent-after-503',
    what: 'deliveries get 503 from a frozen, then a stopped Redis, and are sent until taken',
    checks: 'one run each, though some were stored at first',
    seconds: 15,
    async play(stage) {
      stage.faultBegins();
      const outages: { begin: () => unknown; end: () => unknown }[] = [
        { begin: stage.redis.freeze, end: stage.redis.thaw },
        { begin: stage.redis.shutDown, end: stage.redis.start },
      ];
      for (const [index, { begin, end }] of outages.entries()) {
        await begin();
        const sending = stage.webhooks.map(async (hook, number) => {
          const delivery = stage.sender.prepare(hook, [`+outage-${index}-${number}`]);
          const first = await stage.send(delivery);
          mustBe(first.status === 503, `A delivery without Redis was answered ${first.status}.`);
          await sendUntilTaken(stage, delivery);
        });
        await sleep(2_200 + stage.random.between(0, 1_000));
        await end();
        await Promise.all(sending);
      }
      stage.faultEnds();
      await workOn(stage.load());
    },
  },
];
