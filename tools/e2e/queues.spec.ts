import { rabbitmqServerScript, startTestRabbitmq, type TestRabbitmq, waitFor } from '@cds/testing';
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import { PROJECT, runsOf, startStack, type Stack } from './stack.fixture';

/** The broker is on this machine. */
const env = { CDS_HOOKS_OUTGOING_ALLOW: '127.0.0.1' };
const script = rabbitmqServerScript();
const describeBroker = script ? describe : describe.skip;

describeBroker(
  script
    ? 'a workflow with a queue'
    : 'a workflow with a queue (skipped: no RabbitMQ is installed)',
  () => {
    let broker: TestRabbitmq;
    let stack: Stack;
    let connection: ChannelModel;
    let channel: ConfirmChannel;

    beforeAll(async () => {
      [broker, stack] = await Promise.all([startTestRabbitmq(), startStack()]);
      connection = await connect({ hostname: broker.host, port: broker.port });
      connection.on('error', () => undefined);
      channel = await connection.createConfirmChannel();
    });
    afterAll(async () => {
      await connection?.close();
      await stack?.stop();
      await broker?.stop();
    });

    async function publish(number: number): Promise<void> {
      channel.publish('builds-exchange', 'any', Buffer.from(JSON.stringify({ number })), {
        persistent: true,
        messageId: `message-${number}`,
      });
      await channel.waitForConfirms();
    }
    /** Over a channel of its own: the broker closes it where there is no such queue. */
    async function queue(): Promise<{ messageCount: number; consumerCount: number }> {
      const short = await connection.createChannel();
      short.on('error', () => undefined);
      const state = await short.checkQueue('builds');
      await short.close();
      return state;
    }
    const numbers = () => stack.api.runs(PROJECT, 'w').map(({ event }) => event.payload['number']);

    it('runs for each message, over a killed service, and loses none', async () => {
      const first = await stack.start('hooks', { env });
      await stack.registered(1);
      await stack.api.workflows.createQueueWorkflow({
        ...{ project: PROJECT, name: 'w', queue: 'builds' },
        ...{ broker: `${broker.host}:${broker.port}`, username: 'guest', password: 'guest' },
      });
      await waitFor(async () => (await queue()).consumerCount === 1, {
        what: 'a consumer',
      });

      await publish(1);
      const [run] = await runsOf(stack, 'w', 1);
      expect(run?.event.payload).toMatchObject({ number: '1', payload: '{"number":1}' });

      await first.stop('SIGKILL');
      await publish(2);
      await stack.start('hooks', { env, replica: 2 });
      await publish(3);
      // One that was under way at the kill may run twice.
      await waitFor(() => new Set(numbers()).size === 3, { what: 'a run of each message' });

      expect([...new Set(numbers())].toSorted()).toEqual(['1', '2', '3']);
      await waitFor(async () => (await queue()).messageCount === 0, {
        what: 'all messages to be acknowledged',
      });
    });
  },
);
