import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { Redis } from 'ioredis';
import { allDone, execution, push, refsOf } from '../../test/deliveries';
import { pushDelivery } from '../../test/pushes';
import { repositoryHook } from '../../test/node-hooks';
import { post } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { BULL_PREFIX, HOOK_QUEUE } from '@cds/hooks-store/keys';
import { hookJobId } from '@cds/hooks-store';

describe('deliveries', () => {
  const context = useTestContext();

  const refs = (hook?: NodeHook) => refsOf(context, hook);

  it('asks for one run for each changed branch and tag, in the order of the delivery', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);

    await push(hooks, hook, { push: 'a' }, { deletedTag: 'v0' }, { tag: 'v1' }, { push: 'b/c' });
    await push(hooks, hook, { deletedTag: 'v1' });
    await allDone(hooks, hook);

    expect(refs()).toEqual(['a', 'v1', 'b/c']);
    expect(await execution(hooks, hook)).toMatchObject({ workflow_run: 3, nb_errors: 0 });
    expect(await execution(hooks, hook, 1)).toMatchObject({ workflow_run: 0, nb_errors: 0 });
  });

  it('goes on without a change that cannot be read, which a warning names', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    const hook = repositoryHook();
    await post(hooks, hook);

    const hash = 'f'.repeat(40);
    const { headers, body } = pushDelivery({ push: 'a' }, { push: 'odd', hash }, { push: 'b' });
    const odd = String(body).replace(`"${hash}"`, 'null');
    const answer = await hooks.webhook(hook.uuid, { headers: headers ?? {}, body: odd });
    expect(answer.status).toBe(200);
    await allDone(hooks, hook);

    expect(refs()).toEqual(['a', 'b']);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 40,
        hook: hook.uuid,
        changes: [expect.stringContaining('push.changes[1].new.target.hash: ')],
      }),
    );
  });

  it('runs the workflow that the hook has when its turn comes', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await push(hooks, hook, { push: 'main' });

    await post(hooks, { ...hook, config: repositoryHook({ workflow: 'renamed' }).config });
    await hooks.call('GET', `/task/${hook.uuid}/start`);
    await allDone(hooks, hook);

    expect(context.api.runs()).toMatchObject([{ workflow: 'renamed' }]);
  });

  it('keeps the order of each hook over two replicas, and works hooks off side by side', async () => {
    const replicas = [await context.start(), await context.start()] as const;
    const hookList = Array.from({ length: 6 }, () => repositoryHook());
    await post(replicas[0], ...hookList);
    let atOnce = 0;
    let most = 0;
    const perHook = new Map<string, number>();
    let overlaps = 0;
    context.api.behave = (call) => {
      if (call.method !== 'POST' || call.url === '/services/register') return 'ok';
      const { uuid } = (call.body as { hook: { uuid: string } }).hook;
      most = Math.max(most, ++atOnce);
      if ((perHook.get(uuid) ?? 0) > 0) overlaps++;
      perHook.set(uuid, (perHook.get(uuid) ?? 0) + 1);
      setTimeout(() => {
        atOnce--;
        perHook.set(uuid, (perHook.get(uuid) ?? 0) - 1);
      }, 10);
      return { delayMs: 10 };
    };

    await Promise.all(
      hookList.map(async (hook, index) => {
        for (let i = 0; i < 25; i++) {
          await push(i % 2 === index % 2 ? replicas[0] : replicas[1], hook, { push: `b${i}` });
        }
      }),
    );
    await waitFor(() => context.api.runs().length >= 150);

    for (const hook of hookList) {
      expect(refs(hook)).toEqual(Array.from({ length: 25 }, (_, i) => `b${i}`));
    }
    expect(most).toBeGreaterThan(1);
    expect(overlaps).toBe(0);
  });

  it('tries three times in all what the API refuses, then goes on with the next', async () => {
    // Long enough for what comes between the first try and the second one.
    const hooks = await context.start({ retryDelaySeconds: 4 });
    const [hook, other] = [repositoryHook(), repositoryHook()];
    await post(hooks, hook, other);
    const tries: number[] = [];
    context.api.behave = ({ body, at }) => {
      const branch = (body as { hook?: { payload: Record<string, string> } } | null)?.hook?.payload;
      if (branch?.['git.branch'] !== 'refused') return 'ok';
      tries.push(at);
      return { refuse: 500, message: 'internal server error' };
    };

    await push(hooks, hook, { push: 'refused' });
    await push(hooks, hook, { push: 'next' });
    const waiting = await waitFor(async () => {
      const now = await execution(hooks, hook);
      return now.nb_errors === 1 && now.processing_timestamp === 0 ? now : undefined;
    });
    await push(hooks, other, { push: 'elsewhere' });
    await waitFor(() => refs(other).length === 1);
    await allDone(hooks, hook);

    expect(waiting).toMatchObject({
      processing_timestamp: 0,
      nb_errors: 1,
      last_error: expect.stringContaining('internal server error'),
    });
    expect(tries).toHaveLength(3);
    expect((tries[1] ?? 0) - (tries[0] ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(refs(hook)).toEqual(['next']);
    expect(await execution(hooks, hook)).toMatchObject({
      status: 'DONE',
      nb_errors: 3,
      workflow_run: 0,
      last_error: expect.stringContaining('internal server error'),
    });
    expect((await hooks.status())['Executions Failed']).toEqual({ status: 'WARN', value: '1' });
  });

  it('asks again for nothing of a delivery that it has already asked for', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    let refusals = 0;
    context.api.behave = ({ body }) => {
      const run = (body as { hook?: { payload: Record<string, string> } } | null)?.hook?.payload;
      return run?.['git.branch'] === 'second' && refusals++ < 2 ? { refuse: 400 } : 'ok';
    };

    await push(hooks, hook, { push: 'first' }, { push: 'second' }, { push: 'third' });
    await allDone(hooks, hook);

    expect(refs()).toEqual(['first', 'second', 'third']);
    expect(await execution(hooks, hook)).toMatchObject({ nb_errors: 2, workflow_run: 3 });
    expect((await execution(hooks, hook)).last_error).toBeUndefined();
  });

  it('goes on with the other changes of a delivery when one is refused for good', async () => {
    const hooks = await context.start({ retryError: 1 });
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.behave = ({ body }) => {
      const run = (body as { hook?: { payload: Record<string, string> } } | null)?.hook?.payload;
      return run?.['git.branch'] === 'refused' ? { refuse: 404, id: 92 } : 'ok';
    };

    await push(hooks, hook, { push: 'refused' }, { push: 'good' });
    await allDone(hooks, hook);

    expect(refs()).toEqual(['good']);
    expect(await execution(hooks, hook)).toMatchObject({ nb_errors: 1, workflow_run: 1 });
    expect((await execution(hooks, hook)).last_error).toBeDefined();
  });

  it.each([
    ['502 of a proxy', { html: 502 } as const],
    ['503 of a proxy', { html: 503 } as const],
    ['a body that is not of CDS', { html: 500 } as const],
    ['a dropped connection', 'drop' as const],
  ])('tries for as long as it takes after %s, and counts nothing', async (_, misbehaviour) => {
    const hooks = await context.start({ retryDelaySeconds: 1, retryError: 2 });
    const hook = repositoryHook();
    await post(hooks, hook);
    await hooks.tasks();
    let tries = 0;
    context.api.behave = ({ url }) => (url.endsWith('/runs') && tries++ < 4 ? misbehaviour : 'ok');

    await push(hooks, hook, { push: 'main' });
    await waitFor(async () => (await execution(hooks, hook)).last_error);
    const waiting = await execution(hooks, hook);
    await allDone(hooks, hook);

    expect(waiting).toMatchObject({ nb_errors: 0, processing_timestamp: 0 });
    expect(tries).toBe(5);
    expect(refs()).toEqual(['main']);
    expect(await execution(hooks, hook)).toMatchObject({ nb_errors: 0, workflow_run: 1 });
  });

  it('wakes all that wait when the API is back, long before their pause is over', async () => {
    const hooks = await context.start({ retryDelaySeconds: 600 });
    const hookList = Array.from({ length: 5 }, () => repositoryHook());
    await post(hooks, ...hookList);
    await context.api.stop();
    for (const hook of hookList) await push(hooks, hook, { push: 'main' });
    // By now the pauses have grown far beyond what it takes to wake them.
    const due = await waitFor(async () => {
      const times = await Promise.all(hookList.map(dueAt));
      const least = Math.min(...times);
      return least > Date.now() + 5_000 ? least : undefined;
    });

    await context.api.start();

    await waitFor(() => context.api.runs().length === 5);
    expect(Math.max(...context.api.runs().map(({ at }) => at))).toBeLessThan(due);
  });

  /**
   * When the pause of a hook is over; 0 where it has none. BullMQ keeps milliseconds and a counter
   * of 12 bits.
   */
  async function dueAt(hook: NodeHook): Promise<number> {
    const redis = new Redis(context.redis.url, { maxRetriesPerRequest: null });
    const score = await redis.zscore(`${BULL_PREFIX}:${HOOK_QUEUE}:delayed`, hookJobId(hook.uuid));
    redis.disconnect();
    return Number(score) / 0x1000;
  }

  it('does not try a hook that fails alone with every success of others', async () => {
    const hooks = await context.start({ retryDelaySeconds: 600 });
    const [failing, good] = [repositoryHook(), repositoryHook()];
    await post(hooks, failing, good);
    let tries = 0;
    context.api.behave = ({ body }) => {
      if ((body as { hook?: { uuid: string } } | null)?.hook?.uuid !== failing.uuid) return 'ok';
      tries++;
      return { html: 504 };
    };
    await push(hooks, failing, { push: 'main' });

    for (let i = 0; i < 40; i++) {
      await push(hooks, good, { push: `b${i}` });
      await waitFor(() => refs(good).length > i);
    }

    await allDone(hooks, good);
    // The pauses grow: some tries a minute, whatever comes at others.
    expect(tries).toBeLessThan(20);
    await waitFor(() => tries > 2);
  });

  it('registers again after a 401 and does not count it', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    const registrations = context.api.registrations.length;
    context.api.forgetHash();

    await push(hooks, hook, { push: 'main' });
    await waitFor(() => refs().length === 1);

    await allDone(hooks, hook);
    expect(context.api.registrations.length).toBeGreaterThan(registrations);
    expect(await execution(hooks, hook)).toMatchObject({ nb_errors: 0, workflow_run: 1 });
  });

  it('asks twice only where the answer was lost', async () => {
    const hooks = await context.start();
    const hook = repositoryHook();
    await post(hooks, hook);
    let tries = 0;
    context.api.behave = ({ url }) =>
      url.endsWith('/runs') && tries++ === 0 ? 'do and drop' : 'ok';

    await push(hooks, hook, { push: 'main' });
    await allDone(hooks, hook);

    expect(refs()).toEqual(['main', 'main']);
  });

  it('accepts and works off nothing while hooks.disable is set, and says so', async () => {
    const hooks = await context.start({ disable: true });
    const hook = repositoryHook();
    await post(hooks, hook);
    for (let i = 0; i < 12; i++) await push(hooks, hook, { push: `b${i}` });

    const status = await hooks.status();
    expect(status.Hooks).toMatchObject({
      status: 'WARN',
      value: expect.stringContaining('disabled'),
    });
    expect(status.Queue).toEqual({ status: 'WARN', value: '12' });
    expect(status[`Execs Todo ${hook.uuid}`]).toEqual({ status: 'WARN', value: '12' });
    expect(context.api.runs()).toEqual([]);

    await hooks.service.stop(2_000);
    const enabled = await context.start();
    await allDone(enabled, hook);
    expect(refs()).toEqual(Array.from({ length: 12 }, (_, i) => `b${i}`));
  });

  it.each([
    ['', false],
    [', also where the turn of another replica does not end', true],
  ])('finds deliveries whose job was lost%s', async (_what, turnStays) => {
    const hooks = await context.start({}, { timing: { sweepMs: 500 } });
    const hook = repositoryHook();
    await post(hooks, hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await push(hooks, hook, { push: 'main' });
    const redis = new Redis(context.redis.url);
    await redis.hset(`cdsbb:hooks:task:${hook.uuid}`, 'stopped', '0');
    await redis.srem('cdsbb:hooks:stopped', hook.uuid);
    // As when the clock of Redis's machine is put back by a day.
    if (turnStays) await redis.set('cdsbb:hooks:sweep-lock', 'another', 'PX', 25 * 3_600_000);
    await redis.sadd('cdsbb:hooks:pending', hook.uuid);
    redis.disconnect();

    await waitFor(() => refs().length === 1);
  });
});
