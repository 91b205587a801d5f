import { hookKeys } from '@cds/hooks-store/keys';
import { waitFor } from '@cds/testing';
import { commandsDuring } from '../../test/commands-during';
import { deliver } from '../../test/deliveries';
import { lookedUp } from '../../test/looked-up';
import { plainHook, repositoryHook, signed } from '../../test/node-hooks';
import { pushDelivery } from '../../test/pushes';
import { post, type RunningHooks, type WebhookRequest } from '../../test/running-hooks';
import { slowRequest } from '../../test/slow-request';
import { useTestContext } from '../../test/test-context';

/** Nothing but deliveries makes the service ask Redis for anything. */
const QUIET = { timing: { heartbeatMs: 60_000, sweepMs: 60_000, queuesMs: 60_000 } };

/** Beside the body: keys, headers, states. */
const MOST_BYTES = 3_500;

describe('what a delivery costs', () => {
  const context = useTestContext();
  const plain = plainHook();
  const repository = repositoryHook();
  let hooks: RunningHooks;

  beforeEach(async () => {
    hooks = await context.start({ disable: true }, QUIET);
    await post(hooks, plain, repository);
  });

  /** Command names, one for each round trip but for those that are sent together. */
  async function roundTrips(work: () => Promise<unknown>): Promise<(string | undefined)[]> {
    const commands = await commandsDuring(context, async () => void (await work()), {
      onlyRoundTrips: true,
    });
    return commands.map(([name]) => name);
  }

  it.each([
    ['signed', repository, () => signed(repository, pushDelivery({ push: 'main' }))],
    ['unsigned, to a repository webhook', repository, () => pushDelivery({ push: 'main' })],
    ['unsigned, to a plain webhook', plain, () => ({ body: '{"a":1}' })],
    ['of any method without a body', plainHook({ method: 'GET' }), () => ({ method: 'GET' })],
  ])('is one round trip where it is %s', async (_, hook, request) => {
    if (![plain, repository].includes(hook)) await post(hooks, hook);
    // Redis gets the text of a script with its first call.
    expect((await deliver(hooks, hook.uuid, request())).status).toBe(200);

    const names = await roundTrips(async () => {
      expect((await hooks.webhook(hook.uuid, request())).status).toBe(200);
    });

    expect(names).toEqual(['evalsha']);
  });

  it('is a lookup more where the body of an unsigned one comes later', async () => {
    await deliver(hooks, plain.uuid, { body: '{}' });
    const names = await roundTrips(async () => {
      const request = await slowRequest(hooks.url);
      const head = `POST /webhook/${plain.uuid} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n`;
      await lookedUp(context, plain, () => request.send(head));
      request.send('{}');
      expect(await request.answer()).toMatch(/^HTTP\/1.1 200 /);
      request.end();
    });
    expect(names).toEqual(['eval', 'ping', 'evalsha']);
  });

  it('sends its body to Redis once, and little beside it', async () => {
    const sent = async (length: number): Promise<number> => {
      const request: WebhookRequest = {
        headers: { 'Content-Type': 'text/plain' },
        body: 'x'.repeat(length),
      };
      const commands = await commandsDuring(
        context,
        async () => void (await deliver(hooks, plain.uuid, request)),
        { onlyRoundTrips: true },
      );
      // MONITOR escapes what is no letter.
      const text = commands
        .flat()
        .join('')
        .replaceAll(/\\(?:x[0-9a-f]{2}|.)/g, '.');
      return text.length;
    };
    await sent(10_000);
    const short = await sent(10_000);
    expect(short).toBeLessThan(10_000 + MOST_BYTES);
    expect((await sent(30_000)) - short).toBe(20_000);
  });

  it('is two scripts at most when it is processed, beside one of its hook', async () => {
    const count = 5;
    for (let n = 0; n < count; n++)
      await deliver(hooks, repository.uuid, pushDelivery({ push: `branch-${n}` }));
    const { owner, waiting } = hookKeys(repository.uuid);

    const commands = await commandsDuring(
      context,
      async () => {
        await context.start();
        const isEmpty = async () => (await context.redisClient.llen(waiting)) === 0;
        await waitFor(isEmpty, { what: 'all to be processed' });
      },
      { onlyRoundTrips: true },
    );

    expect(context.api.runs()).toHaveLength(count);
    const scripts = commands.filter(
      ([name, ...args]) => name?.startsWith('eval') && args.includes(owner),
    );
    // The next one is taken with the end of the last, unless the machine is slow.
    expect(scripts.length).toBeGreaterThanOrEqual(count + 1);
    expect(scripts.length).toBeLessThanOrEqual(2 * count);
  });

  it('is three scripts in all where its hook is idle, and no job', async () => {
    const working = await context.start({}, QUIET);
    const { waiting } = hookKeys(plain.uuid);
    const processed = (runs: number) =>
      waitFor(async () => {
        const left = await context.redisClient.llen(waiting);
        return context.api.runs().length === runs && left === 0;
      });
    const deliverOne = () => deliver(working, plain.uuid, { body: '{}' });
    // Redis gets the text of a script with its first call.
    await deliverOne();
    await processed(1);

    const commands = await commandsDuring(
      context,
      async () => {
        await deliverOne();
        await processed(2);
      },
      { onlyRoundTrips: true },
    );

    const own = commands.filter((args) => args.some((arg) => arg.includes(plain.uuid)));
    // The script that accepts it looks whether the queue is paused.
    const isOfJob = (arg: string) => /:bull:hooks:(?!meta)/.test(arg);
    expect(own.filter((args) => args.some(isOfJob))).toEqual([]);
    // Accept, take, finish; a machine that is slow looks for a next one by itself.
    const scripts = own.filter(([name]) => name === 'evalsha');
    expect(scripts.length).toBeGreaterThanOrEqual(3);
    expect(scripts.length).toBeLessThanOrEqual(5);
  });
});
