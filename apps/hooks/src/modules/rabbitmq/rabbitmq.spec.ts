import { connect, type ChannelModel, type Options } from 'amqplib';
import {
  captureLogger,
  rabbitmqServerScript,
  startTestRabbitmq,
  type TestRabbitmq,
  waitFor,
  takesTime,
} from '@cds/testing';
import { nodeHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { hooksConfig, useTestContext } from '../../../test/test-context';
import { brokerAddress } from './broker-address';
import { readSettings } from './rabbitmq-settings';

const isRefusal = (reason: unknown): boolean =>
  String(reason).includes('loopback address, which hooks.outgoing.allow does not name');

const PASSWORD = 'the-password-of-the-broker-that-nobody-may-read';

const settings = {
  project: 'PROJ',
  workflow: 'wf-queue',
  integration: 'my-rabbit',
  exchange_name: 'builds',
  exchange_type: 'topic',
  queue: 'to-build',
  binding_key: 'build.#',
  consumer_tag: 'cds',
};
/** A plain webhook under the uuid of another hook. */
const plainHook = (uuid: string) => ({
  ...nodeHook('WebHook', { method: 'POST', project: 'PROJ', workflow: 'wf2' }),
  uuid,
});
const queueHook = (change: Partial<Record<string, string>> = {}) =>
  nodeHook('RabbitMQ hook', { ...settings, ...change });

describe('the settings of a RabbitMQ hook', () => {
  const value = (text: string) => ({
    value: text,
    configurable: true,
    type: 'string',
    multiple_choice_list: null,
  });
  const config = (change: Record<string, string>) =>
    Object.fromEntries(Object.entries({ ...settings, ...change }).map(([k, v]) => [k, value(v)]));

  it('are those of CDS; before it was called integration it was a platform', () => {
    expect(readSettings(config({ integration: '', platform: 'old' }))).toEqual({
      project: 'PROJ',
      integration: 'old',
      exchange: 'builds',
      exchangeType: 'topic',
      queue: 'to-build',
      bindingKey: 'build.#',
      consumerTag: 'cds',
    });
  });

  it.each([
    [{ queue: '' }, 'a RabbitMQ hook needs queue in its configuration'],
    [{ exchange_name: '' }, 'needs exchange_name'],
    [{ integration: '' }, 'needs integration'],
    [{ exchange_type: 'party' }, 'exchange_type is one of direct, fanout, topic, headers'],
    [{ binding_key: 'x'.repeat(256) }, '255 bytes at most'],
  ])('%j are refused: %s', (change, problem) => {
    expect(readSettings(config(change as Record<string, string>))).toEqual({
      problem: expect.stringContaining(problem),
    });
  });
});

describe('the address of a broker', () => {
  const address = (uri: string) =>
    brokerAddress({ uri: { value: uri }, username: { value: 'u' }, password: { value: 'p:@/' } });

  it.each([
    ['rabbit:5673', { protocol: 'amqp', hostname: 'rabbit', port: 5673, vhost: '/' }],
    ['rabbit', { protocol: 'amqp', hostname: 'rabbit', port: 5672, vhost: '/' }],
    ['rabbit:5672/team%2Fone', { hostname: 'rabbit', vhost: 'team/one' }],
    ['amqps://rabbit', { protocol: 'amqps', hostname: 'rabbit', port: 5671 }],
    ['[::1]:5672', { hostname: '::1', port: 5672 }],
  ])('%s is read as it is in CDS', (uri, expected) => {
    expect(address(uri)).toMatchObject({ ...expected, username: 'u', password: 'p:@/' });
  });

  it.each(['', 'a b', 'host:port'])('"%s" is refused without the password', (uri) => {
    expect(() => address(uri)).toThrow(/^the (integration has no uri|uri of the integration)/);
  });
});

const script = rabbitmqServerScript();
const describeBroker = script ? describe : describe.skip;

describeBroker(
  script ? 'a queue' : 'a queue (skipped: RabbitMQ is not installed, see CONTRIBUTING.md)',
  () => {
    const context = useTestContext();
    let broker: TestRabbitmq;
    let publisher: ChannelModel;

    beforeAll(async () => {
      broker = await startTestRabbitmq();
    });
    // Called behind that of the context: the services have ended by then.
    afterAll(() => broker.stop());

    beforeEach(async () => {
      publisher = await connectPublisher();
      integrate('guest');
    });
    afterEach(async () => {
      await context.reset();
      const channel = await publisher.createChannel();
      await channel.deleteQueue(settings.queue);
      await channel.deleteExchange(settings.exchange_name);
      await publisher.close();
    });

    async function connectPublisher(): Promise<ChannelModel> {
      const connection = await connect({ hostname: broker.host, port: broker.port });
      connection.on('error', () => undefined);
      return connection;
    }

    function integrate(
      password: string,
      username = 'guest',
      { integration = 'my-rabbit', host = '127.0.0.1' } = {},
    ): void {
      context.api.integrations.set(`PROJ/${integration}`, {
        uri: { value: `${host}:${broker.port}`, type: 'string' },
        username: { value: username, type: 'string' },
        password: { value: password, type: 'password' },
      });
    }

    async function publish(bodies: (string | Buffer)[], messageId?: string): Promise<void> {
      const channel = await publisher.createConfirmChannel();
      for (const body of bodies)
        channel.publish(settings.exchange_name, 'build.me', Buffer.from(body), {
          persistent: true,
          ...(messageId === undefined ? {} : { messageId }),
        });
      await channel.waitForConfirms();
      await channel.close();
    }

    const consumed = (hooks: RunningHooks, value = '1 of 1 consumed') =>
      waitFor(async () => (await hooks.status())['RabbitMQ Queues']?.value === value, {
        what: value,
      });
    const payloads = () => context.api.runs().map(({ hook }) => hook.payload);

    /** Messages that the broker still has, those in flight included. */
    async function left(): Promise<number> {
      const channel = await publisher.createChannel();
      const { messageCount } = await channel.checkQueue(settings.queue);
      await channel.close();
      return messageCount;
    }

    it('leads to a run for each message, in their order, flattened as CDS does it', async () => {
      const hooks = await context.start({}, { timing: { queuesMs: 100 } });
      const hook = queueHook();
      await post(hooks, hook);
      await consumed(hooks);

      await publish(['{"App":{"name":"web"},"n":[1,2]}', 'no JSON', '[{"a":true}]']);
      await waitFor(() => context.api.runs().length === 3, { what: 'three runs' });

      expect(context.api.runs()[0]).toMatchObject({ project: 'PROJ', workflow: 'wf-queue' });
      expect(payloads()).toEqual([
        {
          'app.name': 'web',
          'n.n0': '1',
          'n.n1': '2',
          payload: '{"App":{"name":"web"},"n":[1,2]}',
        },
        { payload: 'no JSON' },
        { '0.a': 'true', payload: '[{"a":true}]' },
      ]);
      const executions = await hooks.executions(hook.uuid);
      expect(executions).toHaveLength(3);
      expect(executions[0]).toMatchObject({
        type: 'RabbitMQ',
        status: 'DONE',
        rabbitmq: { message: Buffer.from('[{"a":true}]').toString('base64') },
      });
      expect(await left()).toBe(0);
    });

    it('is consumed while its task runs, on every replica, and no longer', async () => {
      const first = await context.start({}, { timing: { queuesMs: 100 } });
      const second = await context.start({}, { timing: { queuesMs: 100 } });
      const hook = queueHook();
      await post(first, hook);
      await consumed(first);
      await consumed(second);

      await first.call('GET', `/task/${hook.uuid}/stop`);
      const nothing = async (hooks: RunningHooks) =>
        waitFor(async () => !(await hooks.status())['RabbitMQ Queues'], { what: 'no consumer' });
      await nothing(first);
      await nothing(second);
      await publish(['{"while":"stopped"}']);
      expect(await left()).toBe(1);

      await second.call('GET', `/task/${hook.uuid}/start`);
      await waitFor(() => context.api.runs().length === 1, { what: 'the run' });

      await first.call('DELETE', `/task/${hook.uuid}`);
      await nothing(first);
      await nothing(second);
    });

    it('keeps a message until it is in Redis, however long that takes', async () => {
      const hooks = await context.start({}, { timing: { queuesMs: 100 } });
      await post(hooks, queueHook());
      await consumed(hooks);

      context.redis.freeze();
      await publish(['{"n":1}', '{"n":2}']);
      // Longer than one try.
      await takesTime(2_500);
      expect(context.api.runs()).toEqual([]);
      context.redis.thaw();

      await waitFor(() => context.api.runs().length >= 2, { what: 'the runs' });
      await waitFor(async () => (await left()) === 0, { what: 'all acknowledged' });
      // A try that timed out and was kept all the same is the same message.
      expect(payloads().map(({ n }) => n)).toEqual(['1', '2']);
    });

    it('is consumed again after the broker was killed, and nothing is lost', async () => {
      const hooks = await context.start({}, { timing: { queuesMs: 100 } });
      await post(hooks, queueHook());
      await consumed(hooks);
      await publish(['{"n":1}']);
      await waitFor(() => context.api.runs().length === 1, { what: 'the first run' });

      await broker.kill();
      await waitFor(async () => (await hooks.status())['RabbitMQ Queues']?.value.startsWith('0'), {
        what: 'the loss to be seen',
      });
      await broker.start();
      publisher = await connectPublisher();
      await consumed(hooks);
      await publish(['{"n":2}']);

      await waitFor(() => payloads().at(-1)?.n === '2', { what: 'the second run' });
    });

    it('that is handed out again with its id makes no second run', async () => {
      const hooks = await context.start({}, { timing: { queuesMs: 100 } });
      const hook = queueHook();
      await post(hooks, hook);
      await consumed(hooks);

      await publish(['{"n":1}'], 'id-1');
      await publish(['{"n":1}'], 'id-1');
      await publish(['{"n":2}'], 'id-1');

      await waitFor(() => context.api.runs().length === 2, { what: 'two runs' });
      await waitFor(async () => (await left()) === 0, { what: 'all acknowledged' });
      expect(payloads().map(({ n }) => n)).toEqual(['1', '2']);
      const executions = await hooks.executions(hook.uuid);
      expect(executions.map(({ last_error: error }) => error ?? '')).toContainEqual(
        expect.stringContaining('duplicate: a message with the same id'),
      );
    });

    describe('that is there already is consumed as it is:', () => {
      const argumentsOf: [string, Options.AssertQueue][] = [
        ['with a dead-letter exchange', { deadLetterExchange: 'amq.fanout' }],
        ['with a time-to-live', { messageTtl: 3_600_000, expires: 3_600_000 }],
        ['a quorum queue', { arguments: { 'x-queue-type': 'quorum' } }],
        ['not durable', { durable: false }],
        ['with a limit and priorities', { maxLength: 1_000, maxPriority: 5 }],
      ];
      it.each(argumentsOf)('%s, behind an exchange of another kind', async (_, made) => {
        const channel = await publisher.createChannel();
        await channel.assertExchange(settings.exchange_name, 'topic', {
          durable: false,
          alternateExchange: 'amq.fanout',
        });
        await channel.assertQueue(settings.queue, { durable: true, ...made });
        const hooks = await context.start({}, { timing: { queuesMs: 100 } });
        await post(hooks, queueHook());
        await consumed(hooks);

        await publish(['{"n":1}']);
        await waitFor(() => context.api.runs().length === 1, { what: 'the run' });
        expect(await left()).toBe(0);
      });

      it('by a user who may only read, who is told that it is not bound', async () => {
        broker.addReader('reader');
        const { logger, lines } = captureLogger();
        const channel = await publisher.createChannel();
        await channel.assertExchange(settings.exchange_name, 'topic', { durable: true });
        await channel.assertQueue(settings.queue, { durable: true });
        await channel.bindQueue(settings.queue, settings.exchange_name, 'build.#');
        integrate('reader', 'reader');
        const hooks = await context.start({}, { logger, timing: { queuesMs: 100 } });
        await post(hooks, queueHook());
        await consumed(hooks);

        await publish(['{"n":1}']);
        await waitFor(() => context.api.runs().length === 1, { what: 'the run' });
        expect(lines).toContainEqual(
          expect.objectContaining({
            level: 40,
            queue: settings.queue,
            reason: expect.stringContaining('ACCESS_REFUSED'),
          }),
        );
      });

      it('and what is missing is made: here the exchange alone', async () => {
        const channel = await publisher.createChannel();
        await channel.assertQueue(settings.queue, { durable: true, messageTtl: 3_600_000 });
        const hooks = await context.start({}, { timing: { queuesMs: 100 } });
        await post(hooks, queueHook());
        await consumed(hooks);

        await publish(['{"n":1}']);
        await waitFor(() => context.api.runs().length === 1, { what: 'the run' });
      });
    });

    it('at an address that hooks.outgoing forbids is not connected to, at any try', async () => {
      const { logger, lines } = captureLogger();
      const { outgoing: permissive } = hooksConfig(context.redis, context.api.url, 0);
      const outgoing = { ...permissive, allow: [] };
      const hooks = await context.start({ outgoing }, { logger, timing: { queuesMs: 100 } });
      for (const [index, host] of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'].entries()) {
        const integration = `rabbit-${index}`;
        integrate('guest', 'guest', { integration, host });
        await post(hooks, queueHook({ integration, queue: `q-${index}` }));
        await waitFor(
          () => lines.some(({ queue, reason }) => queue === `q-${index}` && isRefusal(reason)),
          { what: `the refusal of ${host} in the log` },
        );
      }
      const connections = (await hooks.status())['RabbitMQ Queues']?.value;
      expect(connections).toBe('0 of 3 consumed');
      await context.reset();

      const allowing = await context.start({}, { timing: { queuesMs: 100 } });
      integrate('guest');
      await post(allowing, queueHook());
      await consumed(allowing);
    });

    it('waits for an integration that is missing or wrong, says so, and tells no secret', async () => {
      const { logger, lines } = captureLogger();
      context.api.integrations.clear();
      const hooks = await context.start({}, { logger, timing: { queuesMs: 100 } });
      const hook = queueHook();
      await post(hooks, hook);
      const line = () =>
        waitFor(async () => (await hooks.status())[`RabbitMQ Queue ${hook.uuid}`], {
          what: 'the line of the queue',
        });
      expect(await line()).toEqual({ status: 'WARN', value: 'not consumed yet: the log says why' });

      integrate(PASSWORD);
      await waitFor(() => JSON.stringify(lines).includes('ACCESS_REFUSED'), {
        what: 'the refusal in the log',
      });
      integrate('guest');
      await consumed(hooks);

      const everything = `${JSON.stringify(lines)} ${JSON.stringify(await hooks.status())}`;
      expect(everything).not.toContain(PASSWORD);
    });

    it('of a hook that became one of another kind is left alone, its messages with it', async () => {
      const hooks = await context.start({}, { timing: { queuesMs: 100 } });
      const hook = queueHook();
      await post(hooks, hook);
      await consumed(hooks);
      await post(hooks, plainHook(hook.uuid));
      await publish(['{"n":1}']);

      await waitFor(async () => !(await hooks.status())['RabbitMQ Queues'], {
        what: 'the consumer to end',
      });
      await waitFor(async () => (await left()) === 1, { what: 'the message to be back' });
      expect(context.api.runs()).toEqual([]);
    });

    it('refuses hooks that can never work, with the reason', async () => {
      const hooks = await context.start();
      const hook = queueHook({ exchange_type: 'party' });
      const { status, body } = await hooks.call('POST', '/task', hook);
      expect({ status, body }).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('exchange_type is one of') },
      });
    });

    it('drops what is too large for an execution, once it said so', async () => {
      const { logger, lines } = captureLogger();
      const hooks = await context.start({}, { logger, timing: { queuesMs: 100 } });
      await post(hooks, queueHook());
      await consumed(hooks);

      await publish([Buffer.alloc(1024 * 1024 + 1, 'x'), '{"n":1}']);

      await waitFor(() => context.api.runs().length === 1, { what: 'the run of the other' });
      expect(await left()).toBe(0);
      expect(lines).toContainEqual(expect.objectContaining({ level: 50, bytes: 1024 * 1024 + 1 }));
    });
  },
);
