import { setTimeout as sleep } from 'node:timers/promises';
import { rabbitmqServerScript } from '@cds/testing';
import type { Task } from '@cds/wire';
import { ACCEPT_DELIVERY, messageHashIn } from '../hooks-internals';
import { type Queue, withQueue } from '../stage/queue';
import type { Stage } from '../stage/stage';
import { type Fault, mustBe, nothingUnderWay, workOn } from './fault';

/** A fault of a queue, with a broker of its own where one is installed. */
function ofQueue(
  fault: Omit<Fault, 'play'>,
  play: (stage: Stage, queue: Queue) => Promise<void>,
): Fault {
  return {
    ...fault,
    skipped: () =>
      rabbitmqServerScript() === undefined
        ? 'RabbitMQ is not installed (apt-get install rabbitmq-server)'
        : undefined,
    play: (stage) => withQueue(stage, (queue) => play(stage, queue)),
  };
}

/** What was kept and is handed out again is known by its id and kept as a duplicate. */
async function duplicatesOf(stage: Stage, { uuid }: Queue): Promise<number> {
  const task = (await stage.api.callHooks('GET', `/task/${uuid}/execution`)) as Task;
  const errors = (task.executions ?? []).map(({ last_error }) => last_error ?? '');
  return errors.filter((error) => error.startsWith('duplicate:')).length;
}

/** Nothing is with the broker any more when the service has ended: all was acknowledged. */
async function mustHaveAcknowledgedAll(stage: Stage, queue: Queue): Promise<void> {
  await stage.worked();
  mustBe((await stage.hooks.stop()) === 0, '`hooks` did not end with exit code 0.');
  await queue.left();
  const { size } = await queue.held();
  mustBe(size === 0, `The broker still holds ${size} messages that were worked off.`);
}

export const QUEUES: Fault[] = [
  ofQueue(
    {
      name: 'rabbitmq-killed',
      what: 'the broker is killed and started again while messages flow',
      checks: 'each has one run; none is left',
      seconds: 25,
    },
    async (stage, queue) => {
      const [load, messages] = [stage.load(), queue.flow()];
      await messages.confirmed(20);
      stage.faultBegins();
      await queue.broker.kill();
      await sleep(stage.random.between(0, 1_000));
      await queue.broker.start();
      stage.faultEnds();
      await messages.confirmed(20);
      await Promise.all([workOn(load), messages.stop()]);
      await mustHaveAcknowledgedAll(stage, queue);
    },
  ),
  ofQueue(
    {
      name: 'rabbitmq-hooks-killed',
      what: '`hooks` is killed three times between taking a message and acknowledging it',
      checks: 'the message comes again, and has one run',
      doubles: { most: 3, because: 'one a kill' },
      stage: { redisProxy: true },
      seconds: 25,
    },
    async (stage, queue) => {
      const messages = queue.flow();
      await messages.confirmed(10);
      stage.faultBegins();
      for (const when of stage.random.shuffled(['after', 'after', 'before'] as const)) {
        const hit = messageHashIn(
          await stage.proxy.reached({ script: ACCEPT_DELIVERY, word: queue.uuid, when }),
        );
        await stage.kill(stage.hooks);
        await queue.left();
        const held = await queue.held();
        const message = stage.history.messages.find(({ hash }) => hash === hit);
        mustBe(
          message !== undefined && held.has(message.messageId),
          'The broker does not have the message any more that was being taken.',
        );
        await stage.hooks.start();
      }
      stage.faultEnds();
      await messages.confirmed(10);
      await Promise.all([workOn(stage.load()), messages.stop()]);
      await stage.worked();
      const duplicates = await duplicatesOf(stage, queue);
      mustBe(duplicates >= 2, `${duplicates} messages were handed out again; 2 were hit.`);
      await mustHaveAcknowledgedAll(stage, queue);
    },
  ),
  ofQueue(
    {
      name: 'rabbitmq-redis-away',
      what: 'Redis is away while messages arrive, and `hooks` is killed',
      checks: 'nothing is acknowledged before it is stored; one run each',
      seconds: 25,
    },
    async (stage, queue) => {
      const before = queue.flow();
      await before.confirmed(10);
      await before.stop();
      await nothingUnderWay(stage);
      stage.faultBegins();
      await stage.redis.shutDown();
      const from = Date.now();
      const messages = queue.flow();
      // More than the broker hands out before they are acknowledged.
      await messages.confirmed(30);
      await stage.kill(stage.hooks);
      await queue.left();
      await messages.stop();
      const held = await queue.held();
      const sent = stage.history.messages.filter(({ sentAt }) => sentAt >= from);
      const gone = sent.filter(({ messageId }) => !held.has(messageId)).length;
      mustBe(gone === 0, `${gone} messages were acknowledged that Redis does not have.`);
      await stage.hooks.start();
      await sleep(stage.random.between(0, 1_000));
      await stage.redis.start();
      stage.faultEnds();
      const after = queue.flow();
      await after.confirmed(5);
      await Promise.all([workOn(stage.load()), after.stop()]);
      await mustHaveAcknowledgedAll(stage, queue);
    },
  ),
];
