import { createLostDeliveries, createHooksStateMark } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { stateOwnerOf } from '@cds/redis';
import { captureLogger, waitFor } from '@cds/testing';
import { push, refsOf } from '../../test/deliveries';
import { repositoryHook, signed } from '../../test/node-hooks';
import { errorOf, post, type RunningHooks } from '../../test/running-hooks';
import {
  hooksConfig,
  startTestContext,
  useTestContext,
  type TestContext,
} from '../../test/test-context';
import { pushDelivery } from '../../test/pushes';

describe('the state in Redis', () => {
  const context = useTestContext();
  /** Of another CDS. */
  let second: TestContext;

  beforeAll(async () => {
    second = await startTestContext({ redis: context.redis });
    context.onEnd(second.end);
  });
  beforeEach(() => second.reset());

  /** What every key holds, those aside that say that a replica is there. */
  async function dump(): Promise<Record<string, string>> {
    const keys = (await context.redisClient.keys('*'))
      .filter((key) => !key.includes(':bull:'))
      .sort();
    const kept: Record<string, string> = {};
    for (const key of keys) {
      // What expires by itself, or has expired since: turns and locks.
      if ((await context.redisClient.pttl(key)) !== -1) continue;
      kept[key] = (await context.redisClient.dumpBuffer(key))?.toString('hex') ?? '';
    }
    return kept;
  }

  /** Two hooks with a cleanup and a delivery that waits, of a CDS whose services are down. */
  async function leaveState() {
    const hooks = await context.start();
    const [hook, other] = [repositoryHook(), repositoryHook()];
    context.api.hooks = [hook, other];
    await post(hooks, hook, other);
    await push(hooks, hook, { deleted: 'gone' });
    await waitFor(async () => (await context.redisClient.zcard(KEYS.cleanups)) === 1);
    await hooks.call('GET', `/task/${other.uuid}/stop`);
    await push(hooks, other, { push: 'waits' });
    await hooks.service.stop(3_000);
    return { hook, other };
  }

  /** `/mon/metrics` may be a second old. */
  async function showsMetric({ url }: RunningHooks, sample: string): Promise<void> {
    const text = async () => (await fetch(`${url}/mon/metrics`)).text();
    await waitFor(async () => (await text()).includes(`\n${sample}\n`), { what: sample });
  }

  const stateLine = async (hooks: RunningHooks) => (await hooks.status()).State;

  it.each([
    ['lists hooks of its own', [repositoryHook(), repositoryHook()]],
    ['lists no hooks yet', []],
  ])('of another CDS is left alone by one that %s, and says what to do', async (_, hooks) => {
    const { hook } = await leaveState();
    const before = await dump();
    second.api.hooks = hooks;
    const { logger, lines } = captureLogger();

    const stranger = await second.start({ branchDeletion: { delaySeconds: 0 } }, { logger });
    await waitFor(async () => (await stateLine(stranger))?.status === 'AL', {
      what: 'the state to be found another’s',
    });

    expect((await stateLine(stranger))?.value).toContain('another CDS');
    const told = lines.filter(({ level }) => level === 50);
    expect(told).toEqual([expect.objectContaining({ hooksOfApi: hooks.length })]);
    expect(told[0]?.msg).toMatch(/keyPrefix or a dbindex.*engine hooks adopt/);
    const delivery = signed(hook, pushDelivery({ push: 'main' }));
    const refused = await stranger.webhook(hook.uuid, delivery);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    const unsaved = repositoryHook();
    const headers = { X_AUTH_HEADER: Buffer.from(second.api.hash()).toString('base64') };
    const saved = await fetch(`${stranger.url}/task/bulk`, {
      ...{ method: 'POST', headers },
      body: JSON.stringify({ [unsaved.uuid]: unsaved }),
    });
    expect(saved.status).toBe(503);
    expect((await errorOf(saved)).message).toContain('another CDS');
    // Asked again meanwhile, several times.
    const lists = () => second.api.calls.filter(({ url }) => url === '/workflow/hook').length;
    await waitFor(() => lists() > 2);
    expect(second.api.runs()).toEqual([]);
    expect(second.api.deletions()).toEqual([]);
    expect(await dump()).toEqual(before);
  });

  it('goes on to be that of a CDS with a new token at another address, by one hook that it has', async () => {
    const { hook } = await leaveState();
    const moved = await startTestContext({ redis: context.redis });
    try {
      moved.api.hooks = [hook, repositoryHook(), repositoryHook()];
      const hooks = await moved.start();

      await waitFor(async () => (await stateLine(hooks))?.status === 'OK');
      await push(hooks, hook, { push: 'main' });
      await waitFor(() => refsOf(moved, hook).length === 1);
      expect(await context.redisClient.zcard(KEYS.cleanups)).toBe(1);
    } finally {
      await moved.end();
    }
  });

  it('of a CDS without hooks waits a minute after a change of its token, and is its own without a restart', async () => {
    const before = await context.start();
    await before.synchronized();
    await before.service.stop(3_000);
    const { logger, lines } = captureLogger();
    const [own] = (second.api.hooks = [repositoryHook()]);
    const hooks = await second.start({}, { logger });
    await waitFor(async () => (await stateLine(hooks))?.status === 'WARN');
    await waitFor(() => lines.some(({ msg }) => String(msg).includes('waiting until it is gone')), {
      what: 'the line of what is waited for',
    });
    expect(await context.redisClient.exists(KEYS.tasks)).toBe(0);

    // The minute is over.
    const [mark] = Object.keys(await context.redisClient.hgetall(KEYS.mark)).filter((field) =>
      field.startsWith('owner:'),
    );
    await context.redisClient.hset(KEYS.mark, mark ?? '', Date.now() - 61_000);

    await waitFor(async () => (await stateLine(hooks))?.status === 'OK');
    await waitFor(async () => (await context.redisClient.scard(KEYS.tasks)) > 0, {
      what: 'the synchronization',
    });
    expect(await context.redisClient.smembers(KEYS.tasks)).toEqual([own?.uuid]);
    expect(await context.redisClient.hexists(KEYS.mark, mark ?? '')).toBe(0);
    expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  it('waits for an API that is away when it cannot tell whose it is, and takes deliveries meanwhile', async () => {
    const { hook } = await leaveState();
    second.api.hooks = [hook];
    second.api.behave = ({ url }) => (url === '/workflow/hook' ? 'drop' : 'ok');
    const hooks = await second.start();
    await waitFor(async () => (await stateLine(hooks))?.status === 'WARN');

    await push(hooks, hook, { push: 'main' });
    expect(second.api.runs()).toEqual([]);
    second.api.behave = () => 'ok';

    await waitFor(() => refsOf(second, hook).length === 1);
  });

  it('is a CDS’s again that an operator gives it to, without a restart', async () => {
    await leaveState();
    const [own] = (second.api.hooks = [repositoryHook()]);
    const hooks = await second.start();
    await waitFor(async () => (await stateLine(hooks))?.status === 'AL');
    const { api } = hooksConfig(context.redis, second.api.url, 0);
    const owner = [await stateOwnerOf(api)];
    await createHooksStateMark(context.redisClient, owner)('adopt');

    await waitFor(async () => (await stateLine(hooks))?.status === 'OK');
    await waitFor(
      async () => (await context.redisClient.sismember(KEYS.tasks, own?.uuid ?? '')) === 1,
    );
  });

  it.each(['0', '2'])(
    'in format %s is left alone, also by who was at work on it',
    async (format) => {
      const { hook } = await leaveState();
      const { logger, lines } = captureLogger();
      const running = await context.start({}, { logger });
      await waitFor(async () => (await stateLine(running))?.status === 'OK');
      await context.redisClient.hset(KEYS.mark, 'format', format);

      await waitFor(async () => (await stateLine(running))?.status === 'AL');
      await running.service.stop(3_000);
      await context.redisClient.del(KEYS.beats, KEYS.sweepLock);
      const before = await dump();
      const hooks = await context.start({}, { logger });
      await waitFor(async () => (await stateLine(hooks))?.status === 'AL');

      expect((await hooks.webhook(hook.uuid, pushDelivery({ push: 'main' }))).status).toBe(503);
      const told = lines.filter(({ level }) => level === 50);
      expect(told).toMatchObject([
        { format, understood: '1' },
        { format, understood: '1' },
      ]);
      expect(told[0]?.msg).toContain('in a format that this one cannot read: nothing is touched');
      await hooks.service.stop(3_000);
      expect(await dump()).toEqual(before);
      expect(await context.redisClient.llen(hookKeys(hook.uuid).waiting)).toBe(0);
    },
  );

  it('without a mark, of a version before, is taken over where the API knows one of its hooks', async () => {
    const { hook } = await leaveState();
    await context.redisClient.del(KEYS.mark);

    const hooks = await context.start();
    await waitFor(async () => (await stateLine(hooks))?.status === 'OK');

    expect(await context.redisClient.hget(KEYS.mark, 'format')).toBe('1');
    await push(hooks, hook, { push: 'main' });
    await waitFor(() => refsOf(context, hook).length === 1);
  });

  describe('of which the API lists less than half', () => {
    it('keeps its hooks where the next list has them again', async () => {
      const { hook, other } = await leaveState();
      context.api.hooks = [];
      const { logger, lines } = captureLogger();
      const hooks = await context.start({}, { logger, timing: { secondLookMs: 60_000 } });
      const warned = () => lines.filter(({ notListed }) => notListed === 2);
      await waitFor(() => warned().length === 1, { what: 'the warning' });
      await hooks.service.stop(3_000);

      context.api.hooks = [hook, other];
      const again = await context.start({}, { timing: { secondLookMs: 60_000 } });
      await waitFor(async () => !(await context.redisClient.exists(KEYS.unlisted)));

      expect(warned()).toMatchObject([{ level: 40, listed: 0, waiting: 2 }]);
      expect((await again.tasks()).map(({ uuid }) => uuid)).toEqual(
        expect.arrayContaining([hook.uuid, other.uuid]),
      );
    });

    it('loses those that a second look does not find either, and no others', async () => {
      const hooks = await context.start();
      const all = Array.from({ length: 5 }, () => repositoryHook());
      context.api.hooks = all;
      await post(hooks, ...all);
      for (const { uuid } of all)
        await context.redisClient.hset(hookKeys(uuid).task, 'updated_at', '1');
      await hooks.service.stop(3_000);
      // The third is missing at the second look alone.
      const [one, two, three] = all;
      if (!one || !two || !three) throw new Error('no hooks');
      let looks = 0;
      context.api.behave = ({ url }) => {
        if (url === '/workflow/hook') context.api.hooks = ++looks === 1 ? [one, three] : [one];
        return 'ok';
      };

      const again = await context.start({}, { timing: { secondLookMs: 400, recentMs: 400 } });
      await waitFor(async () => (await context.redisClient.scard(KEYS.tasks)) <= 2);

      expect(looks).toBeGreaterThan(1);
      expect((await again.tasks()).map(({ uuid }) => uuid)).toContain(one.uuid);
    });
  });

  describe('that has vanished', () => {
    it('is said to be lost, answers 503, and is read again from the API', async () => {
      const hooks = await leaveRunning();
      const { running, hook, other, lines } = hooks;
      context.api.behave = ({ url }) => (url === '/workflow/hook' ? 'drop' : 'ok');
      await context.redisClient.flushall();

      expect((await running.webhook(hook.uuid, pushDelivery({ push: 'a' }))).status).toBe(503);
      await waitFor(() => lines.some(({ msg }) => String(msg).startsWith('Redis was emptied')), {
        what: 'the line of what is lost',
      });
      expect(lines.find(({ level }) => level === 50)).toMatchObject({ deliveries: 1 });
      const unknown = await running.call('GET', `/task/${other.uuid}`);
      expect(unknown.status).toBe(503);
      await waitFor(async () => (await running.status())['Deliveries Lost']?.value === '1');
      context.api.behave = () => 'ok';

      await waitFor(async () => (await context.redisClient.scard(KEYS.tasks)) === 2);
      await push(running, hook, { push: 'b' });
      await waitFor(() => refsOf(context, hook).includes('b'));
      await waitFor(async () => (await stateLine(running))?.status === 'OK');
      expect((await running.call('GET', '/task/none')).status).toBe(404);
    });

    it.each([
      ['a task', (uuid: string) => context.redisClient.del(hookKeys(uuid).task)],
      ['the set of tasks', () => context.redisClient.del(KEYS.tasks)],
    ])('in part (%s) is noticed while Redis is there', async (_, remove) => {
      const { running, hook, lines } = await leaveRunning();
      const isTold = () => lines.some(({ msg }) => String(msg).startsWith('tasks vanished'));
      // A reading that is under way may bring it back before anybody looks.
      await waitFor(async () => isTold() || (await remove(hook.uuid), false));

      await waitFor(async () => (await context.redisClient.exists(hookKeys(hook.uuid).task)) === 1);
      await waitFor(async () => (await context.redisClient.sismember(KEYS.tasks, hook.uuid)) === 1);
      await waitFor(async () => (await stateLine(running))?.status === 'OK');
      await push(running, hook, { push: 'b' });
      await waitFor(() => refsOf(context, hook).includes('b'));
    });

    it('counts deliveries as lost of which only the hook’s list is gone', async () => {
      const { running, other, lines } = await leaveRunning();
      await context.redisClient.del(hookKeys(other.uuid).waiting);
      await running.call('GET', `/task/${other.uuid}/start`);

      const isTold = ({ msg }: { msg?: unknown }) =>
        /^accepted deliveries vanished/.test(String(msg));
      await waitFor(() => lines.some(isTold), { what: 'the line of what is lost' });
      expect(lines.find(isTold)).toMatchObject({ level: 50, deliveries: 1 });
      expect(await context.redisClient.get(KEYS.waitingTotal)).toBe('0');
      await showsMetric(running, 'cds_hooks_deliveries_lost_total 1');
    });

    it('is counted until it is acknowledged; what is lost after that is counted and told anew', async () => {
      const { running, other, lines } = await leaveRunning();
      const isTold = ({ msg }: { msg?: unknown }) =>
        /^accepted deliveries vanished/.test(String(msg));
      const shown = async () => (await running.status())['Deliveries Lost'];
      const began = Date.now();
      await context.redisClient.del(hookKeys(other.uuid).waiting);
      await running.call('GET', `/task/${other.uuid}/start`);
      await waitFor(async () => (await shown())?.status === 'AL');

      const { deliveries, since } = await createLostDeliveries({
        redis: context.redisClient,
      }).acknowledge();
      expect(deliveries).toBe(1);
      expect(since?.getTime()).toBeGreaterThanOrEqual(began - 1);
      expect(since?.getTime()).toBeLessThanOrEqual(Date.now());
      await waitFor(async () => (await shown())?.status === 'OK', { what: 'the line to be OK' });
      expect(await shown()).toMatchObject({ value: '0' });
      await showsMetric(running, 'cds_hooks_deliveries_lost_total 0');

      await context.redisClient.incrby(KEYS.lostTotal, 2);
      await waitFor(() => lines.filter(isTold).length === 2);
      // Acknowledged and lost again between two looks: fewer than before, and none of them known.
      await context.redisClient
        .multi()
        .del(KEYS.lostTotal, KEYS.lostSince)
        .incr(KEYS.lostTotal)
        .exec();
      await waitFor(() => lines.filter(isTold).length === 3, { what: 'the line of the third' });
      expect(lines.filter(isTold).map((line) => line.deliveries)).toEqual([1, 2, 1]);
      await waitFor(async () => (await shown())?.value === '1');
      // Whoever removes the count by hand has acknowledged as well.
      await context.redisClient.del(KEYS.lostTotal);
      await waitFor(async () => (await context.redisClient.exists(KEYS.lostSince)) === 0);
    });

    it.each([1, 2])(
      'counts deliveries as lost of which only the execution is gone: number %d of 2',
      async (number) => {
        const { running, hook, other, lines } = await leaveRunning();
        await push(running, other, { push: 'second' });
        const { waiting, executions } = hookKeys(other.uuid);
        const [id = ''] = await context.redisClient.lrange(waiting, number - 1, number - 1);
        await context.redisClient.hdel(executions, id, `${id}:body`);
        await running.call('GET', `/task/${other.uuid}/start`);

        const isTold = ({ msg }: { msg?: unknown }) =>
          /^accepted deliveries vanished/.test(String(msg));
        await waitFor(() => lines.some(isTold), { what: 'the line of what is lost' });
        expect(lines.filter(isTold)).toMatchObject([{ level: 50, deliveries: 1 }]);
        await waitFor(() => refsOf(context, other).length === 1);
        await waitFor(async () => (await context.redisClient.llen(waiting)) === 0, {
          what: 'nothing to wait at that hook',
        });
        await waitFor(async () => (await context.redisClient.get(KEYS.waitingTotal)) === '0', {
          what: 'nothing to wait anywhere',
        });
        await showsMetric(running, 'cds_hooks_deliveries_lost_total 1');
        // Hooks beside it are worked off as ever.
        await push(running, hook, { push: 'b' });
        await waitFor(() => refsOf(context, hook).includes('b'));
      },
    );

    it.each<[string, (uuid: string) => string[], boolean]>([
      ['its task', (uuid) => [hookKeys(uuid).task], false],
      ['the set of hooks with work', () => [KEYS.pending], false],
      ['both', (uuid) => [hookKeys(uuid).task, KEYS.pending], false],
      ['that set, beside a hook that is stopped', () => [KEYS.pending], true],
    ])('in part (%s) has what waited worked off', async (_, keysOf, besideStopped) => {
      const { running, hook, other, lines } = await leaveRunning();
      if (!besideStopped) {
        context.api.hooks = [hook];
        expect((await running.call('DELETE', `/task/${other.uuid}`)).status).toBeLessThan(300);
      }
      const before = Number(await context.redisClient.get(KEYS.waitingTotal));
      context.api.behave = () => 'drop';
      await push(running, hook, { push: 'a' });
      const [task] = keysOf(hook.uuid);
      await context.redisClient.del(...keysOf(hook.uuid));
      if (task !== KEYS.pending) {
        // Its job found nothing to do, and those who look have missed it.
        await waitFor(
          async () => (await context.redisClient.sismember(KEYS.pending, hook.uuid)) === 0,
        );
        await waitFor(() => lines.some(({ msg }) => String(msg).startsWith('tasks vanished')));
      }
      await looks(3);
      expect(await context.redisClient.lrange(hookKeys(hook.uuid).waiting, 0, -1)).toHaveLength(1);
      context.api.behave = () => 'ok';

      await waitFor(() => refsOf(context, hook).includes('a'));
      await waitFor(
        async () => (await context.redisClient.get(KEYS.waitingTotal)) === String(before),
      );
      await looks(2);
      expect(await context.redisClient.get(KEYS.lostTotal)).toBeNull();
      expect(lines.filter(({ level }) => level === 50)).toEqual([]);
      expect(await context.redisClient.zscore(KEYS.waitingSince, hook.uuid)).toBeNull();
    });

    it('in part is noticed however often, and the tasks are counted rightly', async () => {
      const { hook, other, lines } = await leaveRunning();
      const told = () => lines.filter(({ msg }) => String(msg).startsWith('tasks vanished')).length;
      for (const keys of [
        [hookKeys(hook.uuid).task],
        [hookKeys(other.uuid).task],
        [hookKeys(hook.uuid).task, KEYS.tasks],
        [hookKeys(other.uuid).task],
      ]) {
        const before = told();
        // A reading that is under way may bring it back before anybody looks.
        await waitFor(
          async () => told() > before || (await context.redisClient.del(...keys), false),
        );
        await waitFor(async () => (await context.redisClient.exists(...keys)) === keys.length);
        await waitFor(async () => (await context.redisClient.scard(KEYS.tasks)) === 2);
        await looks(2);
      }

      await waitFor(
        async () => (await context.redisClient.hget(KEYS.kinds, 'RepoWebHook')) === '2',
      );
      expect(await context.redisClient.hlen(KEYS.kinds)).toBe(1);
    });

    it('in part leaves a task stopped that was, with what waits for it', async () => {
      const { running, other } = await leaveRunning();
      await context.redisClient.del(hookKeys(other.uuid).task);

      await waitFor(
        async () => (await context.redisClient.exists(hookKeys(other.uuid).task)) === 1,
      );
      expect(await context.redisClient.hget(hookKeys(other.uuid).task, 'stopped')).toBe('1');
      await looks(2);
      expect(await context.redisClient.sismember(KEYS.pending, other.uuid)).toBe(0);
      expect(await context.redisClient.zscore(KEYS.stoppedWaitingSince, other.uuid)).not.toBeNull();
      await running.call('GET', `/task/${other.uuid}/start`);
      await waitFor(() => refsOf(context, other).length === 1);
    });

    it('with a hook that was deleted in CDS meanwhile knows it no more', async () => {
      const { running, hook, other, lines } = await leaveRunning();
      context.api.hooks = [hook];
      await context.redisClient.del(hookKeys(other.uuid).task);

      await waitFor(
        async () => (await running.webhook(other.uuid, pushDelivery({ push: 'a' }))).status === 404,
        { what: 'the hook to be unknown' },
      );
      expect(await context.redisClient.smembers(KEYS.tasks)).toEqual([hook.uuid]);
      expect(await context.redisClient.hgetall(KEYS.kinds)).toEqual({ RepoWebHook: '1' });
      expect(await context.redisClient.exists(KEYS.stopped, hookKeys(other.uuid).waiting)).toBe(0);
      // Nobody can work off what waited for it.
      expect(await context.redisClient.get(KEYS.waitingTotal)).toBe('0');
      const isTold = ({ msg }: { msg?: unknown }) =>
        /^accepted deliveries vanished/.test(String(msg));
      await waitFor(() => lines.some(isTold), { what: 'the line of what is lost' });
      expect(lines.filter(isTold)).toMatchObject([{ level: 50, deliveries: 1, inAll: 1 }]);
    });

    /**
     * So many whole looks of a service at what is there, each of which says that the replica lives.
     */
    async function looks(count: number): Promise<void> {
      const [owner] = Object.keys(await context.redisClient.hgetall(KEYS.mark)).filter((field) =>
        field.startsWith('owner:'),
      );
      let last = await context.redisClient.hget(KEYS.mark, owner ?? '');
      for (let seen = 0; seen <= count; seen++) {
        last = await waitFor(async () => {
          const now = await context.redisClient.hget(KEYS.mark, owner ?? '');
          return now === last ? undefined : now;
        });
      }
    }

    async function leaveRunning() {
      const { hook, other } = await leaveState();
      const { logger, lines } = captureLogger();
      const running = await context.start({}, { logger });
      await waitFor(async () => (await stateLine(running))?.status === 'OK');
      // What waits is known when a look has counted it.
      // Two may run side by side at first: after a connection and after the registration.
      await looks(3);
      return { running, hook, other, lines };
    }
  });

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>, RegExp]>([
    [
      'full',
      () => context.redisClient.config('SET', 'maxmemory', '1'),
      () => context.redisClient.config('SET', 'maxmemory', '0'),
      /memory is full/,
    ],
    [
      'read-only',
      () => context.redisClient.call('REPLICAOF', '127.0.0.1', '1'),
      () => context.redisClient.call('REPLICAOF', 'NO', 'ONE'),
      /read-only replica/,
    ],
    [
      'not for this user to write',
      () => context.redisClient.acl('SETUSER', 'default', '-hset'),
      () => context.redisClient.acl('SETUSER', 'default', '+hset'),
      /lacks a permission/,
    ],
  ])('in a Redis that is %s is at AL with the reason', async (_, refuse, allow, why) => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    await hooks.synchronized();
    try {
      await refuse();
      const refused = await waitFor(async () => {
        const { Redis: line } = await hooks.status();
        return line?.status === 'AL' && why.test(line.value) ? line : undefined;
      });
      expect(refused.value).toMatch(/^refuses writes/);
      await showsMetric(hooks, 'cds_hooks_redis_writable 0');
      await showsMetric(hooks, 'cds_hooks_redis_up 1');
      expect(lines.filter(({ why: told }) => why.test(String(told)))).toMatchObject([
        { level: 50 },
      ]);
    } finally {
      await allow();
    }
    await waitFor(async () => (await hooks.status()).Redis?.status === 'OK');
  });

  describe('that has never held the hooks of the API', () => {
    it('answers 503 to every delivery until it does, and 404 from then on', async () => {
      context.api.behave = ({ url }) => (url === '/workflow/hook' ? 'drop' : 'ok');
      const [hook, none] = [repositoryHook(), repositoryHook()];
      context.api.hooks = [hook];
      const hooks = await context.start();

      for (const one of [signed(hook, pushDelivery({ push: 'a' })), pushDelivery({ push: 'a' })]) {
        const answer = await hooks.webhook(hook.uuid, one);
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
      }
      expect((await hooks.call('GET', `/task/${hook.uuid}`)).status).toBe(503);
      expect((await stateLine(hooks))?.status).toBe('WARN');
      context.api.behave = () => 'ok';

      await waitFor(async () => (await stateLine(hooks))?.status === 'OK');
      await push(hooks, hook, { push: 'a' });
      expect((await hooks.webhook(none.uuid, pushDelivery({ push: 'a' }))).status).toBe(404);
      expect((await hooks.call('GET', `/task/${none.uuid}`)).status).toBe(404);
    });
  });

  describe('without a hook of which a delivery is rightly signed', () => {
    it('has the hooks of the API read, and takes the delivery when it comes again', async () => {
      const hooks = await context.start();
      await waitFor(async () => (await stateLine(hooks))?.status === 'OK');
      const hook = repositoryHook();
      context.api.hooks = [hook];
      const delivery = signed(hook, pushDelivery({ push: 'a' }));

      expect((await hooks.webhook(hook.uuid, pushDelivery({ push: 'a' }))).status).toBe(404);
      expect((await hooks.webhook(hook.uuid, delivery)).status).toBe(503);
      await waitFor(async () => (await hooks.webhook(hook.uuid, delivery)).status === 200);
      await waitFor(() => refsOf(context, hook).length === 1);
    });

    it('answers 404 when the API was asked since and does not list it, and asks it once a minute', async () => {
      const hooks = await context.start();
      await waitFor(async () => (await stateLine(hooks))?.status === 'OK');
      const lists = () => context.api.calls.filter(({ url }) => url === '/workflow/hook').length;
      const before = lists();
      const deleted = repositoryHook();
      const delivery = signed(deleted, pushDelivery({ push: 'a' }));

      expect((await hooks.webhook(deleted.uuid, delivery)).status).toBe(503);
      await waitFor(async () => (await hooks.webhook(deleted.uuid, delivery)).status === 404);
      for (let n = 0; n < 20; n++) {
        const hook = repositoryHook();
        expect(
          (await hooks.webhook(hook.uuid, signed(hook, pushDelivery({ push: 'a' })))).status,
        ).toBe(503);
      }
      expect(lists()).toBe(before + 1);
    });
  });
});
