import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestRabbitmq, type TestRabbitmq, waitFor } from '@cds/testing';
import { type ChannelModel, connect } from 'amqplib';
import type { SentMessage } from '../checker/history';
import type { Random } from '../seeded-random';
import type { Stage } from './stage';

/**
 * A broker of its own, a workflow that runs for each message of a queue there, and who publishes to
 * it.
 */
export interface Queue {
  broker: TestRabbitmq;
  /** Of the workflow's hook. */
  uuid: string;
  /** Messages that keep coming, one after the other, until the flow is stopped. */
  flow(): MessageFlow;
  /**
   * Ids of the messages that the broker holds, those apart that a consumer has and did not
   * acknowledge.
   */
  held(): Promise<Set<string>>;
  /** Resolves when the broker has no consumer any more. */
  left(): Promise<void>;
}

export interface MessageFlow {
  /** Resolves when the broker has confirmed so many more than now. */
  confirmed(more: number): Promise<void>;
  /** Resolves when the last one is confirmed. */
  stop(): Promise<void>;
}

const NAME = 'builds';
const PROJECT = 'SHOP';
const PAUSE_MS: [number, number] = [10, 80];
/** Between two tries to reach a broker that is away. */
const AGAIN_MS = 100;

/**
 * Starts the broker and waits until `hooks` consumes the queue; ends the broker after the work,
 * whatever comes of it.
 */
export async function withQueue(
  stage: Stage,
  work: (queue: Queue) => Promise<void>,
): Promise<void> {
  const broker = await startTestRabbitmq();
  try {
    await work(await openQueue(stage, broker));
  } finally {
    await broker.stop();
  }
}

async function openQueue(stage: Stage, broker: TestRabbitmq): Promise<Queue> {
  const { hook } = await stage.api.workflows.createQueueWorkflow({
    ...{ project: PROJECT, name: 'queued', queue: NAME },
    ...{ broker: `${broker.host}:${broker.port}`, username: 'guest', password: 'guest' },
  });
  stage.otherHooks.push(hook);
  const withConnection = async <T>(use: (connection: ChannelModel) => Promise<T>): Promise<T> => {
    const connection = await connect({ hostname: broker.host, port: broker.port });
    connection.on('error', () => undefined);
    try {
      return await use(connection);
    } finally {
      await connection.close().catch(() => undefined);
    }
  };
  const consumers = (): Promise<number> =>
    withConnection(async (connection) => {
      const channel = await connection.createChannel();
      // The broker closes it where there is no such queue yet.
      channel.on('error', () => undefined);
      return (await channel.checkQueue(NAME)).consumerCount;
    });
  await waitFor(async () => (await consumers().catch(() => 0)) === 1, {
    what: 'a consumer of the queue',
  });
  const messages = stage.history.messages;

  return {
    broker,
    uuid: hook.uuid,
    flow: () => startFlow({ broker, hook: hook.uuid, messages, random: stage.random }),
    held: () =>
      withConnection(async (connection) => {
        const channel = await connection.createChannel();
        const ids = new Set<string>();
        for (let got = await channel.get(NAME); got; got = await channel.get(NAME))
          ids.add(String(got.properties.messageId));
        // Unacknowledged, they go back to their places when the connection is closed.
        return ids;
      }),
    left: async () => {
      await waitFor(async () => (await consumers()) === 0, {
        what: 'the consumer to be gone',
      });
    },
  };
}

/**
 * Each message is published until the broker confirms it, under the same id, before the next one
 * is.
 */
function startFlow(deps: {
  broker: TestRabbitmq;
  hook: string;
  messages: SentMessage[];
  random: Random;
}): MessageFlow {
  const { broker, hook, messages } = deps;
  const random = deps.random.fork(`messages ${messages.length}`);
  let on = true;

  async function publishAll(connection: ChannelModel): Promise<void> {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    for (;;) {
      const unsure = messages.find(({ confirmedAt }) => confirmedAt === undefined);
      if (!unsure && !on) return;
      const message = unsure ?? nextMessage(hook, messages);
      channel.publish(
        `${NAME}-exchange`,
        'any',
        Buffer.from(JSON.stringify({ git: { hash: message.hash } })),
        { persistent: true, messageId: message.messageId },
      );
      await channel.waitForConfirms();
      message.confirmedAt = Date.now();
      await sleep(random.between(...PAUSE_MS));
    }
  }

  async function session(): Promise<boolean> {
    let connection: ChannelModel | undefined;
    try {
      connection = await connect({ hostname: broker.host, port: broker.port });
      connection.on('error', () => undefined);
      await publishAll(connection);
      return true;
    } catch {
      await sleep(AGAIN_MS);
      return false;
    } finally {
      await connection?.close().catch(() => undefined);
    }
  }
  const ended = (async () => {
    while (!(await session()));
  })();
  const count = (): number => messages.filter(({ confirmedAt }) => confirmedAt).length;

  return {
    async confirmed(more) {
      const before = count();
      await waitFor(() => count() >= before + more, {
        what: `${more} more messages to be confirmed`,
      });
    },
    async stop() {
      on = false;
      await ended;
    },
  };
}

function nextMessage(hook: string, messages: SentMessage[]): SentMessage {
  const messageId = `message-${messages.length + 1}`;
  const message: SentMessage = {
    hook,
    messageId,
    hash: createHash('sha1').update(`${hook} ${messageId}`).digest('hex'),
    sentAt: Date.now(),
  };
  messages.push(message);
  return message;
}
