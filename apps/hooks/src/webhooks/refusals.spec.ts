import { randomUUID } from 'node:crypto';
import {
  awakeTime,
  captureLogger,
  provesNothingHappensFor,
  takesTime,
  waitFor,
} from '@cds/testing';
import { createRefusalStore } from '@cds/hooks-store';
import { hookKeys, refusalsKey } from '@cds/hooks-store/keys';
import type { NodeHook } from '@cds/wire';
import { allDone, deliver } from '../../test/deliveries';
import { repositoryHook, signed } from '../../test/node-hooks';
import { errorOf, post, type RunningHooks, type WebhookRequest } from '../../test/running-hooks';
import { useTestContext, type TestContext } from '../../test/test-context';
import { pushDelivery } from '../../test/pushes';
import { lookedUp } from '../../test/looked-up';
import { commandsDuring } from '../../test/commands-during';
import { slowRequest, type SlowRequest } from '../../test/slow-request';
import { redisBudget } from '@cds/redis';
import { MAX_READ_FOR_SIGNATURE } from './check-hook';
import { networkOf, REFUSALS_PER_MINUTE } from './refusal-limit';
import { createWarnOnce } from './intake-log';
import { STORED_PER_MINUTE } from './record-refusals';

/** The port is chosen by the test context. */
const HTTP = { addr: '127.0.0.1', port: 0, stopDelaySeconds: 0 };

describe('refused deliveries', () => {
  const context = useTestContext();

  /** Wrong whatever the hook is, and of the right form: its body has to be read. */
  const WRONG = { 'X-Hub-Signature': `sha256=${'0'.repeat(64)}` };

  function forged(...headers: Record<string, string>[]): WebhookRequest {
    const push = pushDelivery({ push: 'forged' });
    return { ...push, headers: Object.assign({}, push.headers, WRONG, ...headers) };
  }

  const CROWDED = 'too much is sent at once to look at the signature';

  /** A delivery with a signature whose body never comes. */
  async function begun(hooks: RunningHooks, uuid: string): Promise<SlowRequest> {
    const request = await slowRequest(hooks.url);
    request.send(
      `POST /webhook/${uuid} HTTP/1.1\r\nHost: x\r\nX-Hub-Signature: ${WRONG['X-Hub-Signature']}\r\nContent-Length: 1000\r\n\r\n{`,
    );
    return request;
  }

  async function statuses(
    hooks: RunningHooks,
    count: number,
    uuid: () => string,
    request: () => WebhookRequest,
  ): Promise<Record<number, number>> {
    const found: Record<number, number> = {};
    for (let i = 0; i < count; i++) {
      const { status } = await hooks.webhook(uuid(), request());
      found[status] = (found[status] ?? 0) + 1;
    }
    return found;
  }

  async function ready(change: Parameters<TestContext['start']>[0] = {}) {
    const hooks = await context.start(change);
    const hook = repositoryHook();
    await post(hooks, hook);
    return { hooks, hook };
  }

  describe('records', () => {
    it('are kept of a known hook for an operator, few of a flood, with no secret', async () => {
      const { hooks, hook } = await ready();
      const store = createRefusalStore({ redis: context.redisClient });
      const named = { 'X-Request-UUID': 'r-1', Authorization: 'hidden' };
      expect((await hooks.webhook(hook.uuid, { method: 'PUT', headers: named })).status).toBe(405);
      await statuses(
        hooks,
        2 * STORED_PER_MINUTE,
        () => hook.uuid,
        () => forged(named),
      );
      const stranger = randomUUID();
      await statuses(
        hooks,
        1,
        () => stranger,
        () => forged(),
      );
      const large = { method: 'POST', headers: WRONG, body: 'x'.repeat(2 * 1024 * 1024) };
      expect((await hooks.webhook(stranger, large)).status).toBe(413);
      await deliver(hooks, hook.uuid, signed(hook, pushDelivery({ push: 'main' })));

      const stored = await waitFor(async () => {
        const found = await store.of(hook.uuid);
        return found.length >= STORED_PER_MINUTE ? found : undefined;
      });
      expect(stored).toHaveLength(STORED_PER_MINUTE);
      expect(stored[0]).toMatchObject({ reason: 'unauthentic', status: 401, event: 'repo:push' });
      expect(stored.at(-1)).toMatchObject({ reason: 'wrong_method', request_uuid: 'r-1' });
      expect(JSON.stringify(stored)).not.toMatch(/hidden|forged/);
      expect(await context.redisClient.exists(refusalsKey(stranger))).toBe(0);
      expect(await context.redisClient.ttl(refusalsKey(hook.uuid))).toBeGreaterThan(0);
    });

    it('count those that a flood left out, and are bounded', async () => {
      const { hook } = await ready();
      const store = createRefusalStore({ redis: context.redisClient });
      const refusal = { at: 1, request_id: '', request_uuid: '', event: '', address: '' };
      for (let i = 0; i < 25; i++)
        await store.add(hook.uuid, {
          ...{ ...refusal, reason: 'malformed', status: 400 },
          ...{ error: `e${i}`, left_out: i },
        });
      const found = await store.of(hook.uuid);
      expect(found).toHaveLength(20);
      expect(found[0]).toMatchObject({ error: 'e24', left_out: 24 });
    });
  });

  describe('cost', () => {
    it.each([
      ['without a signature', () => pushDelivery({ push: 'main' })],
      ['with one', () => forged()],
      ['with a malformed one', () => forged({ 'X-Hub-Signature': 'sha256=' })],
    ])('an unknown uuid costs one round trip %s, also over the limit', async (_, request) => {
      // Without workers, all commands are those of the webhooks.
      const hooks = await context.start(
        { disable: true },
        { timing: { heartbeatMs: 60_000, sweepMs: 60_000 } },
      );
      await hooks.tasks();
      const uuids = Array.from({ length: REFUSALS_PER_MINUTE + 20 }, () => randomUUID() as string);

      const roundTrips = await commandsDuring(
        context,
        async () => {
          for (const uuid of uuids) await hooks.webhook(uuid, request());
        },
        { onlyRoundTrips: true },
      );

      expect(roundTrips).toHaveLength(uuids.length);
      for (const [index, uuid] of uuids.entries()) {
        const [name, , , ...words] = roundTrips[index] ?? [];
        expect(name).toMatch(/^eval(sha)?$/i);
        expect(words).toContain(hookKeys(uuid).task);
      }
    });

    it('a known hook costs no second lookup for a refused delivery, and a signed one a single script', async () => {
      const hooks = await context.start(
        { disable: true },
        { timing: { heartbeatMs: 60_000, sweepMs: 60_000 } },
      );
      const hook = repositoryHook();
      await post(hooks, hook);
      await hooks.webhook(hook.uuid, signed(hook, pushDelivery({ push: 'a' })));
      const names = async (request: WebhookRequest) => {
        const commands = await commandsDuring(
          context,
          async () => void (await hooks.webhook(hook.uuid, request)),
          { onlyRoundTrips: true },
        );
        return commands.map(([name]) => name).filter((name) => /^eval(sha)?$/i.test(name ?? ''));
      };

      expect((await names(pushDelivery({ push: 'unsigned' }))).length).toBe(1);
      expect((await names(forged())).length).toBe(1);
      expect((await names(signed(hook, pushDelivery({ push: 'b' }))))[0]).toBe('evalsha');
    });

    it('looks nothing up for what can be no uuid or no method', async () => {
      const hooks = await context.start(
        { disable: true },
        { timing: { heartbeatMs: 60_000, sweepMs: 60_000 } },
      );
      await hooks.tasks();

      const commands = await commandsDuring(context, async () => {
        await hooks.webhook('a:b');
        await hooks.webhook('x'.repeat(129));
        // As `engine doctor` asks who answers at the public URL.
        const refused = await hooks.webhook('engine-doctor', { method: 'PATCH' });
        expect(refused.status).toBe(405);
        expect(await refused.json()).toMatchObject({
          ...{ id: expect.any(Number), message: expect.any(String), uuid: expect.any(String) },
        });
      });

      expect(commands).toEqual([]);
    });

    it.each(['unknown', 'unknown, over the limit'])(
      'reads no body without a signature for a hook that is %s',
      async (what) => {
        const { hooks } = await ready();
        const over = what.includes('limit');
        if (over) await statuses(hooks, REFUSALS_PER_MINUTE, randomUUID, () => ({}));
        const request = await slowRequest(hooks.url);

        request.send(
          `POST /webhook/${randomUUID()} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n`,
        );

        expect(await request.answer()).toMatch(over ? /^HTTP\/1.1 429 / : /^HTTP\/1.1 404 /);
        request.end();
      },
    );

    it('reads few bodies at once to look at signatures for unknown hooks over the limit', async () => {
      const { hooks } = await ready();
      await statuses(hooks, REFUSALS_PER_MINUTE, randomUUID, () => ({}));
      const slow: SlowRequest[] = [];

      // The first are waited for, and say nothing.
      await waitFor(async () => {
        slow.push(await begun(hooks, randomUUID()));
        return slow.some(({ received }) => received().includes(CROWDED));
      });
      expect(slow.length).toBeGreaterThan(MAX_READ_FOR_SIGNATURE);
      const answer = await (await begun(hooks, randomUUID())).answer();
      expect(answer).toMatch(/^HTTP\/1.1 503 /);
      expect(answer).toMatch(/^Retry-After: 5\r$/m);

      // Each that ends makes room, however it ends.
      slow.forEach((request) => request.end());
      await waitFor(async () => (await hooks.webhook(randomUUID(), forged())).status === 429);
    });
  });

  describe('limit', () => {
    it('answers 429 in place of 404 and 401 to an address that is refused more than 60 times a minute', async () => {
      const { hooks, hook } = await ready({ signature: 'required' });

      const unknown = await statuses(hooks, 30, randomUUID, () => ({ body: '{}' }));
      const unauthentic = await statuses(hooks, 40, () => hook.uuid, forged);
      const limited = await hooks.webhook(randomUUID());

      expect(REFUSALS_PER_MINUTE).toBe(60);
      expect(unknown).toEqual({ 404: 30 });
      expect(unauthentic).toEqual({ 401: 30, 429: 10 });
      expect([limited.status, (await errorOf(limited)).message]).toEqual([
        429,
        expect.stringContaining('too many requests'),
      ]);
      const seconds = Number(limited.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(50);
      expect(seconds).toBeLessThanOrEqual(60);
      expect((await hooks.webhook(hook.uuid, pushDelivery({ push: 'a' }))).status).toBe(429);
      expect((await hooks.webhook('a:b')).status).toBe(429);
    });

    it('never limits what is right for a known hook, whatever came from the same address', async () => {
      const { hooks, hook } = await ready();
      const other = repositoryHook();
      await post(hooks, other);
      const requests = Array.from({ length: 400 }, (_, i) => i);

      const answers = await Promise.all(
        requests.map(async (i) => {
          if (i % 4 === 0) {
            const request = signed(hook, pushDelivery({ push: `s${i}` }));
            return (await deliver(hooks, hook.uuid, request)).status;
          }
          if (i % 4 === 1) {
            return (await deliver(hooks, other.uuid, pushDelivery({ push: `u${i}` }))).status;
          }
          const uuid = i % 4 === 2 ? hook.uuid : randomUUID();
          return -(await deliver(hooks, uuid, forged())).status;
        }),
      );

      expect(answers.filter((status) => status > 0)).toEqual(Array<number>(200).fill(200));
      const refused = answers.filter((status) => status < 0);
      expect(refused.filter((status) => status === -429)).toHaveLength(200 - REFUSALS_PER_MINUTE);
      // What is malformed is no guess, and neither counted nor limited.
      expect(
        await statuses(
          hooks,
          3,
          () => other.uuid,
          () => ({ body: '{' }),
        ),
      ).toEqual({ 400: 3 });
      await waitFor(() => context.api.runs().length === 200);
    });

    it.each([
      ['a proxy that is not trusted', {}],
      ['one address of Bitbucket', { http: { ...HTTP, trustedProxies: ['127.0.0.0/8'] } }],
    ])(
      'never limits what is rightly signed for a hook that is missing, behind %s',
      async (_, change) => {
        const { hooks } = await ready(change);
        const missing = repositoryHook();
        const from = { 'X-Forwarded-For': '192.0.2.1' };
        const ofMissing = () => missing.uuid;
        const { headers, ...rest } = signed(missing, pushDelivery({ push: 'real' }));
        const real = { ...rest, headers: { ...headers, ...from } };
        const flood = await statuses(hooks, 80, randomUUID, () => forged(from));
        expect(flood).toEqual({ 404: 60, 429: 20 });
        context.api.hooks = [...context.api.hooks, missing];

        const answer = await hooks.webhook(missing.uuid, real);
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
        // What is wrong of the same hook is limited.
        expect(await statuses(hooks, 3, ofMissing, () => forged(from))).toEqual({ 429: 3 });
        // It led to a look at the hooks of the API.
        expect((await deliver(hooks, missing.uuid, real)).status).toBe(200);
        await waitFor(() => context.api.runs().length === 1);
      },
    );

    it('goes by the address of the connection: a X-Forwarded-For of anybody changes nothing', async () => {
      const { hooks } = await ready();
      let i = 0;
      const spoofed = () => ({ headers: { 'X-Forwarded-For': `192.0.2.${i++}` } });

      expect(await statuses(hooks, 70, randomUUID, spoofed)).toEqual({ 404: 60, 429: 10 });
    });

    it('goes by the address that a trusted proxy names, an IPv6 network counting as one', async () => {
      const { hooks } = await ready({ http: { ...HTTP, trustedProxies: ['127.0.0.0/8'] } });
      const from = (address: string) => () => ({ headers: { 'X-Forwarded-For': address } });
      let i = 0;

      expect(await statuses(hooks, 61, randomUUID, from('192.0.2.1'))).toEqual({ 404: 60, 429: 1 });
      // The one that the proxy added counts, not what the sender claims before it.
      const chained = () => from(`203.0.113.${i++}, 192.0.2.2`)();
      expect(await statuses(hooks, 61, randomUUID, chained)).toEqual({ 404: 60, 429: 1 });
      const sameNetwork = () => from(`2001:db8::${(i++).toString(16)}`)();
      expect(await statuses(hooks, 61, randomUUID, sameNetwork)).toEqual({ 404: 60, 429: 1 });
      expect(await statuses(hooks, 1, randomUUID, from('2001:db8:0:1::1'))).toEqual({ 404: 1 });
      expect(await statuses(hooks, 1, randomUUID, from('192.0.2.3'))).toEqual({ 404: 1 });
      expect(await statuses(hooks, 61, randomUUID, from('no address'))).toEqual({
        404: 60,
        429: 1,
      });
    });

    it.each([
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::FFFF:192.0.2.1', '192.0.2.1'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
      ['2001:0DB8:0001:0002:ffff::', '2001:db8:1:2::/64'],
      ['2001:db8::1', '2001:db8:0:0::/64'],
      ['::1', '0:0:0:0::/64'],
      ['::', '0:0:0:0::/64'],
      ['fe80::1%eth0', 'fe80:0:0:0::/64'],
      ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
      ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
      ['', ''],
      ['unknown', ''],
    ])('takes %s for %s', (address, network) => {
      expect(networkOf(address)).toBe(network);
    });
  });

  it('reaches a sender that is still sending, also one that wants the connection closed', async () => {
    const { hooks, hook } = await ready({ signature: 'required' });

    for (const connection of ['keep-alive', 'close']) {
      const request = await slowRequest(hooks.url);
      request.send(
        `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nContent-Length: 400000\r\n\r\n`,
      );
      for (let sent = 0; sent < 400_000; sent += 20_000) {
        request.send('x'.repeat(20_000));
        await takesTime(10);
      }
      expect(request.broken()).toBe(false);
      expect(await request.answer()).toMatch(/^HTTP\/1.1 401 /);
      request.end();
    }
  });

  it('reads on for a moment and up to a bound only, then cuts the connection', async () => {
    const { hooks, hook } = await ready({ signature: 'required' });
    const never = () => false;
    const head = `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\n`;

    const idle = await slowRequest(hooks.url);
    idle.send(`${head}Content-Length: 1000\r\n\r\n`);
    expect(await idle.answer(never)).toMatch(/^HTTP\/1.1 401 /);

    const endless = await slowRequest(hooks.url);
    endless.send(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const timer = setInterval(() => {
      for (let i = 0; i < 20; i++) endless.send(chunk);
    }, 5);
    expect(await endless.answer(never)).toMatch(/^HTTP\/1.1 401 /);
    clearInterval(timer);
    endless.end();
  });

  it('leaves the connection usable for the next delivery', async () => {
    const { hooks, hook } = await ready({ signature: 'required' });
    const { headers = {}, body = '' } = signed(hook, pushDelivery({ push: 'main' }));
    const head = `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\n`;
    const request = await slowRequest(hooks.url);

    for (let i = 0; i < 12; i++) {
      request.send(`${head}Content-Length: 10\r\n\r\n`);
      await waitFor(() => request.received().split('HTTP/1.1 401').length === i + 2);
      request.send('0123456789');
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    request.send(`${head}${lines.join('')}Content-Length: ${body.length}\r\n\r\n${String(body)}`);

    expect(await request.answer((text) => text.includes('"timestamp"'))).toContain('HTTP/1.1 200');
    await provesNothingHappensFor(1_200);
    request.send(`${head}Content-Length: 0\r\n\r\n`);
    await waitFor(() => request.received().split('HTTP/1.1 401').length === 14);
    request.end();
  });

  it('while a hundred bodies are on their way, few of strangers are read', async () => {
    const { hooks, hook } = await ready();
    const calm = await begun(hooks, randomUUID());
    const many = await Promise.all(Array.from({ length: 100 }, () => begun(hooks, hook.uuid)));
    // Until all of these are being read, a stranger may still be waited for.
    await waitFor(async () => {
      many.push(await begun(hooks, randomUUID()));
      return many.some(({ received }) => received().includes(CROWDED));
    });
    expect(calm.received()).not.toContain(CROWDED);
    // Who sends what the hook takes is served as ever.
    const push = signed(hook, pushDelivery({ push: 'while many are on their way' }));
    expect((await hooks.webhook(hook.uuid, push)).status).toBe(200);
    // What is rightly signed is sent again, whether there was room to look at it or not.
    const missing = repositoryHook();
    const request = signed(missing, pushDelivery({ push: 'missing' }));
    const answer = await hooks.webhook(missing.uuid, request);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    [calm, ...many].forEach((sender) => sender.end());
  });

  describe('traces', () => {
    it('leave one line for each hook, whatever the number, and one for all unknown ones', async () => {
      const { logger, lines } = captureLogger();
      logger.level = 'info';
      const hooks = await context.start({}, { logger });
      const hookList = [repositoryHook(), repositoryHook()];
      await post(hooks, ...hookList);

      await statuses(hooks, 60, () => String(hookList[0]?.uuid), forged);
      await statuses(hooks, 60, () => String(hookList[1]?.uuid), forged);
      await statuses(hooks, 60, randomUUID, forged);
      await statuses(hooks, 5, () => 'a:b', forged);

      const warnings = lines.filter(({ msg }) => String(msg).startsWith('delivery refused: '));
      const message = 'delivery refused: it is not authentic';
      expect(warnings).toMatchObject([
        { level: 40, msg: message, hook: hookList[0]?.uuid, leftOut: 0 },
        { level: 40, msg: message, hook: hookList[1]?.uuid, leftOut: 0 },
        { level: 40, msg: 'delivery refused: the hook is unknown', leftOut: 0 },
      ]);
    });

    it('say how many were left out when a minute is over, and are bounded', () => {
      jest.useFakeTimers();
      try {
        const { logger, lines } = captureLogger();
        const warnOnce = createWarnOnce(logger);
        for (let i = 0; i < 100; i++) warnOnce('refused', 'hook', { address: 'a' });
        jest.advanceTimersByTime(59_000);
        warnOnce('refused', 'hook', {});
        jest.advanceTimersByTime(2_000);
        warnOnce('refused', 'hook', {});
        warnOnce('something else', 'hook', {});

        expect(lines.map(({ msg, leftOut }) => [msg, leftOut])).toEqual([
          ['refused', 0],
          ['refused', 100],
          ['something else', 0],
        ]);
      } finally {
        jest.useRealTimers();
      }
    });

    it('leave one line for a Redis that does not take deliveries, whatever comes meanwhile', async () => {
      const { logger, lines } = captureLogger();
      logger.level = 'info';
      const hooks = await context.start({}, { logger });
      const hook = repositoryHook();
      await post(hooks, hook);
      await context.redis.kill();

      const found = await statuses(
        hooks,
        20,
        () => hook.uuid,
        () => ({ body: '{}' }),
      );
      await context.redis.start();
      await waitFor(() => context.redisClient.ping());

      expect(found).toEqual({ 503: 20 });
      const told = lines.filter(({ msg }) => String(msg).startsWith('delivery refused with 503'));
      expect(told).toMatchObject([{ level: 40, leftOut: 0 }]);
    });

    it('are counted in the metrics and shown in /mon/status, without a uuid', async () => {
      const { hooks, hook } = await ready();
      expect((await hooks.status())['Deliveries Refused']).toEqual({
        status: 'OK',
        value: 'unknown 0, unauthentic 0, limited 0, malformed 0',
      });

      await hooks.webhook(hook.uuid, pushDelivery({ push: 'main' }));
      await hooks.webhook(hook.uuid, { body: '{' });
      await hooks.webhook(hook.uuid, { method: 'PUT' });
      await hooks.webhook(hook.uuid, { body: 'x'.repeat(1024 * 1024 + 1) });
      await statuses(hooks, 59, randomUUID, () => ({}));
      expect((await hooks.status())['Deliveries Refused']?.status).toBe('OK');
      await hooks.webhook(hook.uuid, forged());
      await hooks.webhook(hook.uuid, forged());
      const gone = await slowRequest(hooks.url);
      await lookedUp(context, hook, () =>
        gone.send(`POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n`),
      );
      gone.end();

      const counted = [
        ...['accepted"} 1', 'malformed"} 1', 'wrong_method"} 1', 'too_large"} 1', 'unknown"} 59'],
        ...['unauthentic"} 1', 'limited"} 1', 'broken_off"} 1', 'duplicate"} 0', 'failed"} 0'],
      ].map((end) => `cds_hooks_deliveries_total{result="${end}`);
      await waitFor(async () => (await metrics(hooks)).includes('broken_off"} 1'));
      const text = await metrics(hooks);
      for (const line of counted) expect(text).toContain(line);
      expect(text).toContain('cds_hooks_intake_seconds_count 66');
      expect(text).not.toContain(hook.uuid);
      expect((await hooks.status())['Deliveries Refused']).toEqual({
        status: 'WARN',
        value: 'unknown 59, unauthentic 1, limited 1, malformed 1',
      });
    });
  });

  const metrics = async (hooks: RunningHooks) => (await fetch(`${hooks.url}/mon/metrics`)).text();

  describe('503', () => {
    /** The head of a delivery, with the body to come. */
    async function headSent(hooks: RunningHooks, hook: NodeHook) {
      const { body = '' } = pushDelivery({ push: 'main' });
      const request = await slowRequest(hooks.url);
      await lookedUp(context, hook, () =>
        request.send(
          `POST /webhook/${hook.uuid} HTTP/1.1\r\nHost: x\r\nX-Event-Key: repo:push\r\nContent-Length: ${body.length}\r\n\r\n`,
        ),
      );
      return { request, body: String(body) };
    }

    it('comes within 2 s where the lookup succeeded and the enqueue hangs', async () => {
      const { hooks, hook } = await ready();
      const { request, body } = await headSent(hooks, hook);
      context.redis.freeze();
      try {
        request.send(body);
        const answering = request.answer();
        expect(await awakeTime(() => answering)).toBeLessThan(2_000);
        expect(await answering).toMatch(/^HTTP\/1.1 503 /);
        expect(await answering).toMatch(/^Retry-After: \d+\r$/m);
      } finally {
        context.redis.thaw();
        request.end();
      }
    });

    it.each([
      ['unsigned', () => pushDelivery({ push: 'main' })],
      ['signed', (hook: NodeHook) => signed(hook, pushDelivery({ push: 'main' }))],
      ['wrongly signed', () => forged()],
    ])('comes within 2 s while Redis is frozen (%s)', async (_, request) => {
      const { hooks, hook } = await ready();
      context.redis.freeze();
      try {
        const answering = hooks.webhook(hook.uuid, request(hook));
        expect(await awakeTime(() => answering)).toBeLessThan(2_000);
        const response = await answering;
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
      } finally {
        context.redis.thaw();
      }
    });

    it('does not come because a sender is slow', async () => {
      const { hooks, hook } = await ready();
      const { request, body } = await headSent(hooks, hook);
      for (let i = 0; i < 5; i++) {
        await takesTime(400);
        request.send(body.slice((i * body.length) / 5, ((i + 1) * body.length) / 5));
      }

      expect(await request.answer()).toMatch(/^HTTP\/1.1 200 /);
      request.end();
      await allDone(hooks, hook);
    });

    it('has one deadline for all that a delivery needs of Redis', async () => {
      jest.useFakeTimers();
      try {
        const answered = redisBudget(300);
        let answer: () => void = () => undefined;
        const first = answered(new Promise<void>((resolve) => (answer = resolve)));
        await jest.advanceTimersByTimeAsync(200);
        answer();
        await first;
        await jest.advanceTimersByTimeAsync(200); // What is not Redis's does not count.
        let refusal: unknown;
        const tooMuch = answered(new Promise(() => undefined));
        tooMuch.catch((error: unknown) => (refusal = error));
        await jest.advanceTimersByTimeAsync(99);
        expect(refusal).toBeUndefined();
        await jest.advanceTimersByTimeAsync(1);
        expect(refusal).toMatchObject({ status: 503 });
      } finally {
        jest.useRealTimers();
      }
    });
  });
});
