import { randomUUID } from 'node:crypto';
import { captureLogger, waitFor } from '@cds/testing';
import { fieldsOf, hookKeys } from '@cds/hooks-store/keys';
import type { NodeHook } from '@cds/wire';
import { allDone, refsOf } from '../../test/deliveries';
import { plainHook, repositoryHook, signed } from '../../test/node-hooks';
import { post, type RunningHooks, type WebhookRequest } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { bitbucketHeaders, pushDelivery } from '../../test/pushes';

const HOUR_MS = 3_600_000;

describe('deliveries that are sent again', () => {
  const context = useTestContext();

  interface Sent {
    status: number;
    uuid?: string;
    type?: string;
    timestamp?: number;
  }

  async function send(hooks: RunningHooks, hook: NodeHook, request: WebhookRequest): Promise<Sent> {
    const response = await hooks.webhook(hook.uuid, request);
    return { ...((await response.json()) as Partial<Sent>), status: response.status };
  }

  const resultsOf = async (hooks: RunningHooks) => {
    const text = await (await fetch(`${hooks.url}/mon/metrics`)).text();
    const lines = text.matchAll(/^cds_hooks_deliveries_total\{result="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, result, count]) => [result, Number(count)]));
  };

  /** A service whose clock a test sets. Only what the service itself reads of the time is moved. */
  async function startAt(clock: { ms: number }): Promise<RunningHooks> {
    const real = Date.now;
    Date.now = () => real() + clock.ms;
    try {
      return await context.start();
    } finally {
      Date.now = real;
    }
  }

  it('answers with the first timestamp, keeps it as a duplicate, and runs nothing', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const push = pushDelivery({ push: 'main' });

    const first = await send(hooks, hook, push);
    await allDone(hooks, hook);
    const again = await send(hooks, hook, {
      ...push,
      headers: { ...push.headers, 'X-Attempt-Number': '2' },
    });

    expect(first).toMatchObject({ status: 200, uuid: hook.uuid, type: 'RepoWebHook' });
    expect(again).toEqual(first);
    const [duplicate, original, ...more] = await hooks.executions(hook.uuid);
    expect(more).toEqual([]);
    expect(original).toMatchObject({ timestamp: first.timestamp, workflow_run: 1, status: 'DONE' });
    expect(duplicate).toMatchObject({
      status: 'DONE',
      nb_errors: 0,
      workflow_run: 0,
      processing_timestamp: expect.any(Number),
      last_error: expect.stringMatching(
        new RegExp(`^duplicate: .*X-Request-UUID.* ${first.timestamp}$`),
      ),
      webhook: { request_header: { 'X-Attempt-Number': ['2'] } },
    });
    expect(refsOf(context)).toEqual(['main']);
    expect((await hooks.status()).Queue?.value).toBe('0');
    expect(await resultsOf(hooks)).toMatchObject({ accepted: 1, duplicate: 1 });
  });

  it('makes one run of two that arrive at the same moment on two replicas', async () => {
    const replicas = [await context.start(), await context.start()] as const;
    const hook = repositoryHook();
    await post(replicas[0], hook);
    const pushes = Array.from({ length: 20 }, (_, i) => pushDelivery({ push: `b${i}` }));

    const answers = await Promise.all(
      pushes.map((push) => Promise.all(replicas.map((hooks) => send(hooks, hook, push)))),
    );

    for (const [one, other] of answers) {
      expect(one?.status).toBe(200);
      expect(other).toEqual(one);
    }
    await waitFor(() => refsOf(context).length >= 20);
    await waitFor(async () => (await context.redisClient.llen(hookKeys(hook.uuid).waiting)) === 0);
    expect(refsOf(context).toSorted()).toEqual(pushes.map((_, i) => `b${i}`).toSorted());
    const [one, other] = await Promise.all(replicas.map(resultsOf));
    expect((one?.duplicate ?? 0) + (other?.duplicate ?? 0)).toBe(20);
  });

  it('takes what comes again for the same one when the first was stored but answered 503', async () => {
    const hooks = await context.start({ signature: 'required' });
    const hook = repositoryHook();
    await post(hooks, hook);
    const push = signed(hook, pushDelivery({ push: 'main' }));
    context.redis.freeze();
    let first: Sent;
    try {
      // In one round trip: it lies in Redis's socket when the answer is given.
      first = await send(hooks, hook, push);
    } finally {
      context.redis.thaw();
    }
    await waitFor(() => context.redisClient.exists(hookKeys(hook.uuid).seen));

    const again = await waitFor(async () => {
      const sent = await send(hooks, hook, push);
      return sent.status === 200 ? sent : undefined;
    });

    expect(first.status).toBe(503);
    await allDone(hooks, hook);
    const executions = await hooks.executions(hook.uuid);
    expect(executions.at(-1)).toMatchObject({ timestamp: again.timestamp, workflow_run: 1 });
    expect(refsOf(context)).toEqual(['main']);
    expect(await resultsOf(hooks)).toMatchObject({ accepted: 0, duplicate: 1 });
  });

  it('takes what comes again for new when the first was answered 503 and not stored', async () => {
    const hooks = await context.start({ signature: 'required' });
    const hook = repositoryHook();
    await post(hooks, hook);
    const push = signed(hook, pushDelivery({ push: 'main' }));

    await context.redis.kill();
    const away = await send(hooks, hook, push);
    await context.redis.start();
    await waitFor(() => context.redisClient.ping());
    await context.redisClient.config('SET', 'maxmemory', '1');
    const full = await waitFor(async () => {
      const sent = await send(hooks, hook, push);
      return sent.status === 503 ? sent : undefined;
    });
    const seen = await context.redisClient.exists(hookKeys(hook.uuid).seen);
    await context.redisClient.config('SET', 'maxmemory', '0');

    expect([away.status, full.status, seen]).toEqual([503, 503, 0]);
    await waitFor(async () => (await send(hooks, hook, push)).status === 200);
    await allDone(hooks, hook);
    expect(refsOf(context)).toEqual(['main']);
    expect(await resultsOf(hooks)).toMatchObject({ accepted: 1, duplicate: 0 });
  });

  it('knows ignored events again, but not what it refused', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const ignored = { headers: bitbucketHeaders('repo:fork'), body: '{}' };
    const headers = bitbucketHeaders('repo:push');

    const first = await send(hooks, hook, ignored);
    const again = await send(hooks, hook, ignored);
    const malformed = await send(hooks, hook, { headers, body: '{"push": 1}' });
    const put = await send(hooks, hook, { method: 'PUT', headers, body: '{}' });
    const right = await send(hooks, hook, { ...pushDelivery({ push: 'main' }), headers });

    expect([first.status, malformed.status, put.status, right.status]).toEqual([
      200, 400, 405, 200,
    ]);
    expect(again).toEqual(first);
    await allDone(hooks, hook);
    expect(refsOf(context)).toEqual(['main']);
    expect(await resultsOf(hooks)).toMatchObject({
      ...{ accepted: 1, ignored: 1, duplicate: 1, malformed: 1, wrong_method: 1 },
    });
  });

  it.each([
    ['no X-Request-UUID', undefined],
    ['an empty one', ''],
    ['one of 129 characters', 'x'.repeat(129)],
    ['one with a space', 'a b'],
  ])('never takes a delivery with %s for a duplicate', async (_, id) => {
    const hooks = await context.start();
    const hook = plainHook();
    await post(hooks, hook);
    const headers: Record<string, string> = id === undefined ? {} : { 'X-Request-UUID': id };
    const request = { body: '{}', headers };

    const answers = [await send(hooks, hook, request), await send(hooks, hook, request)];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.timestamp).not.toBe(answers[1]?.timestamp);
    await waitFor(() => context.api.runs().length === 2);
    expect(await context.redisClient.exists(hookKeys(hook.uuid).seen)).toBe(0);
  });

  it('tells deliveries of different hooks apart, and those of a plain webhook with the header', async () => {
    const hooks = await context.start();
    const [one, other, plain] = [repositoryHook(), repositoryHook(), plainHook()];
    await post(hooks, one, other, plain);
    const push = pushDelivery({ push: 'main' });
    const anything = { body: '{}', headers: { 'X-Request-UUID': 'x'.repeat(128) } };

    for (const hook of [one, other, one, other]) await send(hooks, hook, push);
    for (let i = 0; i < 3; i++) await send(hooks, plain, anything);

    await waitFor(() => context.api.runs().length >= 3);
    for (const hook of [one, other, plain]) await allDone(hooks, hook);
    expect(context.api.runs()).toHaveLength(3);
    expect(await resultsOf(hooks)).toMatchObject({ accepted: 3, duplicate: 4 });
  });

  it('takes other bytes under the same X-Request-UUID for the same delivery, and says so', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    const hook = repositoryHook();
    await post(hooks, hook);
    const push = pushDelivery({ push: 'main' });
    const other = { ...pushDelivery({ push: 'SomethingElse' }), headers: push.headers };

    const first = await send(hooks, hook, push);
    await send(hooks, hook, push);
    const warnings = () => lines.filter(({ msg }) => String(msg).includes('with another body'));
    expect(warnings()).toEqual([]);
    const again = await send(hooks, hook, other);
    const broken = await send(hooks, hook, { headers: push.headers, body: 'no push' });

    expect([again, broken]).toEqual([first, first]);
    expect(warnings()).toMatchObject([{ level: 40, hook: hook.uuid }]);
    expect(JSON.stringify(lines)).not.toContain('SomethingElse');
    await allDone(hooks, hook);
    expect(refsOf(context)).toEqual(['main']);
  });

  it('knows for 48 hours and more, by ids alone, whatever the clocks of the replicas say', async () => {
    const clock = { ms: 0 };
    const [reconnecting, moved] = [await context.start(), await startAt(clock)];
    const hook = repositoryHook();
    // Else a replica whose clock is ahead takes it for one that was removed long ago.
    context.api.hooks.push(hook);
    await post(reconnecting, hook);
    const [before, ahead, behind] = ['before', 'ahead', 'behind'].map((name) =>
      pushDelivery({ push: name }),
    ) as [WebhookRequest, WebhookRequest, WebhookRequest];

    const answers = new Map([[before, await send(reconnecting, hook, before)]]);
    clock.ms = 25 * HOUR_MS;
    answers.set(ahead, await send(moved, hook, ahead));
    clock.ms = -25 * HOUR_MS;
    answers.set(behind, await send(moved, hook, behind));
    for (const ms of [0, 25 * HOUR_MS, -25 * HOUR_MS]) {
      clock.ms = ms;
      for (const [request, answer] of answers) {
        expect(await send(moved, hook, request)).toEqual(answer);
        expect(await send(reconnecting, hook, request)).toEqual(answer);
      }
    }
    await waitFor(() => refsOf(context).length === 3);
    expect(refsOf(context)).toEqual(['before', 'ahead', 'behind']);

    clock.ms = 47.9 * HOUR_MS;
    expect(await send(moved, hook, before)).toEqual(answers.get(before));
    // A clock that is days ahead for one delivery makes nothing forgotten.
    clock.ms = 200 * HOUR_MS;
    await send(moved, hook, pushDelivery({ push: 'much later' }));
    expect(await send(reconnecting, hook, before)).toEqual(answers.get(before));
  });

  it('forgets after 48 hours what is not among the newest thousand', async () => {
    const clock = { ms: 0 };
    const hooks = await startAt(clock);
    const hook = repositoryHook();
    await post(hooks, hook);
    const { seen } = hookKeys(hook.uuid);
    const first = pushDelivery({ push: 'first' });
    const known = await send(hooks, hook, first);
    const now = Date.now() * 1000;
    // With the first and the second it knows 1,250: it looks at every fiftieth.
    const members = Array.from({ length: 1_248 }, (_, i) => [String(now + i), `r${i}`]);
    await context.redisClient.zadd(seen, ...members.flat());

    clock.ms = 47.9 * HOUR_MS;
    expect(await send(hooks, hook, first)).toEqual(known);
    clock.ms = 48.1 * HOUR_MS;
    await send(hooks, hook, pushDelivery({ push: 'second' }));

    expect(await context.redisClient.zcard(seen)).toBe(1_000);
    expect((await send(hooks, hook, first)).timestamp).not.toBe(known.timestamp);
  });

  it('knows it without any time-to-live', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await send(hooks, hook, pushDelivery({ push: 'main' }));

    expect(await context.redisClient.pttl(hookKeys(hook.uuid).seen)).toBe(-1);
  });

  it('bounds what it knows, even where ids hardly grow since a clock was far ahead', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const keys = hookKeys(hook.uuid);
    const now = Date.now() * 1000;
    for (let i = 0; i < 200_000; i += 5_000) {
      const members = Array.from({ length: 5_000 }, (_, j) => [String(now + i + j), `r${i + j}`]);
      await context.redisClient.zadd(keys.seen, ...members.flat());
    }
    await context.redisClient.hset(keys.task, 'last_id', String(now + 200_000_000_000_000));
    await context.redisClient.zadd(keys.seen, String(now + 200_000_000_000_000), 'far ahead');

    const oldest = await context.redisClient.zrange(keys.seen, '0', '0');
    await send(hooks, hook, pushDelivery({ push: 'main' }));

    expect(await context.redisClient.zcard(keys.seen)).toBeLessThanOrEqual(200_000);
    expect(await context.redisClient.zscore(keys.seen, oldest[0] ?? '')).toBeNull();
  });

  it('still knows when the hook was saved again or its executions were removed, not when it is gone', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const push = pushDelivery({ push: 'main' });
    const first = await send(hooks, hook, push);
    await allDone(hooks, hook);

    await post(hooks, { ...hook, config: repositoryHook({ workflow: 'other' }).config });
    await hooks.call('PUT', `/task/${hook.uuid}`, hook);
    expect(await send(hooks, hook, push)).toEqual(first);
    await hooks.call('DELETE', `/task/${hook.uuid}/execution`);
    expect(await send(hooks, hook, push)).toEqual(first);
    expect(refsOf(context)).toEqual(['main']);

    await hooks.call('DELETE', `/task/${hook.uuid}`);
    expect(await context.redisClient.exists(hookKeys(hook.uuid).seen)).toBe(0);
    await post(hooks, hook);
    expect((await send(hooks, hook, push)).timestamp).not.toBe(first.timestamp);
  });

  it('knows again what waits while the task is stopped, and runs it once when it is started', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    const push = pushDelivery({ push: 'main' });

    const first = await send(hooks, hook, push);
    expect(await send(hooks, hook, push)).toEqual(first);
    await hooks.call('GET', `/task/${hook.uuid}/start`);
    await allDone(hooks, hook);

    expect(refsOf(context)).toEqual(['main']);
  });

  it('keeps no more duplicates than the history holds', async () => {
    const hooks = await context.start({ executionHistory: 5 });
    const hook = repositoryHook();
    await post(hooks, hook);
    const push = { ...pushDelivery({ push: 'main' }) };
    push.headers = { ...push.headers, 'X-Request-UUID': randomUUID() };

    for (let i = 0; i < 12; i++) await send(hooks, hook, push);

    await waitFor(async () => (await context.redisClient.llen(hookKeys(hook.uuid).waiting)) === 0);
    const fields = await context.redisClient.hkeys(hookKeys(hook.uuid).executions);
    const ids = fields.filter((field) => /^\d+$/.test(field));
    expect(ids.length).toBeLessThanOrEqual(6);
    // Their bodies, and no body of one that is gone.
    expect(fields.sort()).toEqual(fieldsOf(ids).sort());
    expect(await context.redisClient.zcard(hookKeys(hook.uuid).seen)).toBe(1);
  });
});
