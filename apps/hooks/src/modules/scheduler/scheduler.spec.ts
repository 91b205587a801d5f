import { randomUUID } from 'node:crypto';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook, Task } from '@cds/wire';
import { MAX_VARIABLES } from '../../payloads/flatten-json';
import { nodeHook, plainHook } from '../../../test/node-hooks';
import { post, type RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';

const EVERY_SECOND = '* * * * * * *';
const DAY = 86_400_000;
const NEVER_NOW = '0 0 29 2 *';
const LARGE = JSON.stringify(Array.from({ length: MAX_VARIABLES + 1 }, () => 1));

function schedulerHook(cron: string, change: Partial<Record<string, string>> = {}): NodeHook {
  return nodeHook('Scheduler', {
    cron,
    timezone: 'UTC',
    payload: '{}',
    project: 'PROJ',
    workflow: 'wf2',
    workflow_id: '2',
    ...change,
  });
}

describe('schedulers', () => {
  const context = useTestContext();

  const runsOf = ({ uuid }: NodeHook) =>
    context.api.runs().filter(({ hook }) => hook.uuid === uuid);
  const dueOf = async ({ uuid }: NodeHook) => {
    const due = await context.redisClient.zscore(KEYS.due, uuid);
    return due === null ? undefined : Number(due);
  };
  /** As if it had been due then. */
  const forgeDue = (hook: NodeHook, due: number) =>
    context.redisClient.zadd(KEYS.due, due, hook.uuid);
  const waiting = ({ uuid }: NodeHook) => context.redisClient.llen(hookKeys(uuid).waiting);
  const midnight = () => Math.floor(Date.now() / DAY) * DAY;
  /** The times that the executions stand for (ms). */
  async function timesOf(hooks: RunningHooks, { uuid }: NodeHook): Promise<number[]> {
    const executions = await hooks.executions(uuid);
    return executions
      .filter(({ status }) => status !== 'SCHEDULED')
      .map(({ timestamp }) => timestamp / 1e6)
      .reverse();
  }

  describe('run', () => {
    it('within a second of their time, once over all replicas, with what the configuration names', async () => {
      const replicas = [
        await context.start({ executionHistory: 100 }),
        await context.start(),
      ] as const;
      const hook = schedulerHook(EVERY_SECOND, { payload: '{"a": {"B": [1]}}', extra: 'x' });

      await post(replicas[0], hook);
      await waitFor(() => runsOf(hook).length >= 4);
      // Once it is due in years, nothing is added to what waits.
      await post(replicas[0], { ...hook, config: schedulerHook(NEVER_NOW).config });
      await waitFor(async () => (await waiting(hook)) === 0);

      const times = await timesOf(replicas[0], hook);
      expect(runsOf(hook)).toHaveLength(times.length);
      expect(times).toEqual(times.map((_, index) => (times[0] ?? 0) + 1000 * index));
      const delays = runsOf(hook).map(({ at }, index) => at - (times[index] ?? 0));
      // Asked for in the order of their times, and at least now and then as soon as a delivery is,
      // which waits for no time.
      const plain = plainHook();
      await post(replicas[0], plain);
      const sent = Date.now();
      await replicas[0].webhook(plain.uuid);
      await waitFor(() => runsOf(plain).length === 1);
      const usual = (runsOf(plain)[0]?.at ?? 0) - sent;
      expect(Math.min(...delays)).toBeLessThan(1_000 + 10 * usual);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
      expect(runsOf(hook)[0]).toMatchObject({
        project: 'PROJ',
        workflow: 'wf2',
        hook: {
          payload: {
            'a.b.b0': '1',
            payload: '{"a": {"B": [1]}}',
            extra: 'x',
            workflow_id: '2',
            'cds.triggered_by.username': 'cds.scheduler',
            'cds.triggered_by.fullname': 'CDS Scheduler',
          },
        },
      });
    });

    it('never twice for one time, however many replicas take it at once', async () => {
      const replicas = await Promise.all([1, 2, 3].map(() => context.start()));
      const hooks = Array.from({ length: 20 }, () => schedulerHook(NEVER_NOW));
      await post(replicas[0] as RunningHooks, ...hooks);
      const due = Date.now() + 1_000;

      await Promise.all(hooks.map((hook) => forgeDue(hook, due)));
      await waitFor(() => hooks.every((hook) => runsOf(hook).length > 0));
      await waitFor(async () => Number(await context.redisClient.get(KEYS.waitingTotal)) === 0);

      expect(context.api.runs()).toHaveLength(hooks.length);
      const next = Date.parse('2028-02-29T00:00:00Z');
      expect(await Promise.all(hooks.map(dueOf))).toEqual(hooks.map(() => next));
    });

    it('in the zone that they name', async () => {
      const hooks = await context.start();
      const zone = schedulerHook('0 12 29 2 *', { timezone: 'America/New_York' });
      const none = schedulerHook('0 12 29 2 *');
      delete none.config?.timezone;
      await post(hooks, zone, none);
      expect(await dueOf(zone)).toBe(Date.parse('2028-02-29T17:00:00Z'));
      expect(await dueOf(none)).toBe(Date.parse('2028-02-29T12:00:00Z'));
    });
  });

  describe('what was missed while nobody was there', () => {
    it('runs once, late, for its last time; what is before that is left out', async () => {
      const { logger, lines } = captureLogger();
      const hooks = await context.start({}, { logger });
      const hook = schedulerHook('@daily');
      await post(hooks, hook);

      await forgeDue(hook, midnight() - 3 * DAY);
      await waitFor(() => runsOf(hook).length > 0);
      const [late] = await timesOf(hooks, hook);

      expect(late).toBe(midnight());
      expect(await dueOf(hook)).toBe(midnight() + DAY);
      expect(runsOf(hook)).toHaveLength(1);
      expect(lines.filter(({ msg }) => String(msg).includes('is late'))).toHaveLength(1);
    });

    it('is made up for, time by time, when it was only for a moment', async () => {
      const hooks = await context.start({ executionHistory: 100 });
      const hook = schedulerHook(EVERY_SECOND);
      await post(hooks, hook);
      await waitFor(() => runsOf(hook).length > 0);

      await hooks.service.stop(3_000);
      const before = runsOf(hook).length;
      const missed = Date.now() + 2_500;
      await waitFor(() => Date.now() > missed);
      expect(runsOf(hook)).toHaveLength(before);
      const again = await context.start({ executionHistory: 100 });
      await waitFor(() => runsOf(hook).length >= before + 4);
      await again.call('GET', `/task/${hook.uuid}/stop`);

      const times = await timesOf(again, hook);
      expect(times).toEqual(times.map((_, index) => (times[0] ?? 0) + 1000 * index));
    });

    it('runs also when its schedule has ended since', async () => {
      const hooks = await context.start();
      const year = new Date().getUTCFullYear();
      const hook = schedulerHook(`0 0 1 1 * ${year}`);
      await post(hooks, hook);
      expect(await dueOf(hook)).toBeUndefined();

      await forgeDue(hook, Date.UTC(year, 0, 1));
      await waitFor(() => runsOf(hook).length > 0);
      expect(await dueOf(hook)).toBeUndefined();
    });
  });

  describe('while the API is away', () => {
    it('one run waits for it, and the times that come meanwhile are left out', async () => {
      const hooks = await context.start({ executionHistory: 100, retryDelaySeconds: 1 });
      const hook = schedulerHook(EVERY_SECOND);
      const uuidOf = (body: unknown) => (body as { hook?: { uuid: string } } | null)?.hook?.uuid;
      let away = true;
      let tried = 0;
      context.api.behave = ({ body }) => {
        if (!away || uuidOf(body) !== hook.uuid) return 'ok';
        tried++;
        return 'drop';
      };

      await post(hooks, hook);
      await waitFor(() => tried >= 4);
      expect((await hooks.executions(hook.uuid)).length).toBeLessThanOrEqual(4);
      const skipped = await (await fetch(`${hooks.url}/mon/metrics`)).text();
      expect(skipped).toMatch(/cds_hooks_scheduler_times_total\{.*result="skipped".*\} [1-9]/);
      away = false;
      await waitFor(() => runsOf(hook).length >= 3);
    });

    it('or slow, no more than a hundred runs wait', async () => {
      const hooks = await context.start();
      const hook = schedulerHook(NEVER_NOW);
      context.api.behave = ({ url }) => (url.endsWith('/runs') ? { delayMs: 60_000 } : 'ok');
      await post(hooks, hook);
      await forgeDue(hook, Date.now());
      await waitFor(async () => (await waiting(hook)) === 1);
      const others = Array.from({ length: 98 }, (_, index) => String(index));
      await context.redisClient.rpush(hookKeys(hook.uuid).waiting, ...others);

      for (const count of [100, 100]) {
        await forgeDue(hook, Date.now());
        await waitFor(async () => Number(await dueOf(hook)) > Date.now());
        expect(await waiting(hook)).toBe(count);
      }
    });

    it('a run that it refuses for good is a dead letter, and can be sent again', async () => {
      const hooks = await context.start();
      const hook = schedulerHook(NEVER_NOW);
      context.api.behave = ({ url }) => (url.endsWith('/runs') ? { refuse: 500 } : 'ok');
      await post(hooks, hook);
      await forgeDue(hook, Date.now());
      const failed = async () => Number((await hooks.status())['Executions Failed']?.value) > 0;
      await waitFor(failed);
      const [, execution] = await hooks.executions(hook.uuid);
      expect(execution).toMatchObject({ status: 'DONE', nb_errors: 3 });
      expect(execution?.last_error).toContain('internal server error');

      context.api.behave = () => 'ok';
      const path = `/admin/task/${hook.uuid}/execution/${execution?.timestamp}/replay`;
      const { status } = await hooks.call('POST', path);
      expect(status).toBeLessThan(300);
      await waitFor(() => runsOf(hook).length === 1);
    });
  });

  describe('a task', () => {
    it('shows its next time as an execution, counts it, and names it when asked', async () => {
      const hooks = await context.start();
      const hook = schedulerHook(NEVER_NOW);
      await post(hooks, hook);

      const [listed] = await hooks.tasks();
      expect(listed).toMatchObject({ nb_executions_total: 1, nb_executions_todo: 1 });
      const [next] = await hooks.executions(hook.uuid);
      expect(next).toMatchObject({
        uuid: hook.uuid,
        type: 'Scheduler',
        timestamp: Date.parse('2028-02-29T00:00:00Z') * 1e6,
        status: 'SCHEDULED',
        processing_timestamp: 0,
        scheduled_task: { date_scheduled_execution: '2028-02-29 00:00:00 +0000 UTC' },
      });
      const one = await hooks.call('GET', `/task/${hook.uuid}/execution/1835395200000000000`);
      expect(one).toEqual({ status: 200, body: next });
      const none = await hooks.call('GET', `/task/${hook.uuid}/execution/1835395201000000000`);
      expect(none.status).toBe(404);
      expect((await hooks.status()).Schedulers).toEqual({ status: 'OK', value: '1' });
    });

    it('leaves its next time out when that is stopped, as an execution that has ended', async () => {
      const hooks = await context.start();
      const hook = schedulerHook(NEVER_NOW);
      await post(hooks, hook);
      const path = `/task/${hook.uuid}/execution/1835395200000000000`;

      expect((await hooks.call('POST', `${path}/stop`)).status).toBe(204);
      expect(await dueOf(hook)).toBe(Date.parse('2032-02-29T00:00:00Z'));
      const { body } = await hooks.call('GET', path);
      expect(body).toMatchObject({ status: 'DONE', last_error: 'DONE', nb_errors: 4 });
      // The API calls the next replica when an answer is lost.
      expect((await hooks.call('POST', `${path}/stop`)).status).toBe(204);
      expect(await dueOf(hook)).toBe(Date.parse('2032-02-29T00:00:00Z'));
      const task = (await hooks.call('DELETE', `/task/${hook.uuid}/execution`)).body as Task;
      expect(task.uuid).toBe(hook.uuid);
      expect(await hooks.executions(hook.uuid)).toHaveLength(1);
    });

    it('is due by its new schedule once that is changed, and stays due when it is not', async () => {
      const hooks = await context.start();
      const hook = schedulerHook(NEVER_NOW);
      await post(hooks, hook);
      await forgeDue(hook, Date.parse('2030-01-01T00:00:00Z'));

      await post(hooks, hook);
      expect(await dueOf(hook)).toBe(Date.parse('2030-01-01T00:00:00Z'));
      await post(hooks, { ...hook, config: schedulerHook('0 0 30 4 * 2031').config });
      expect(await dueOf(hook)).toBe(Date.parse('2031-04-30T00:00:00Z'));
      const zone = schedulerHook('0 0 30 4 * 2031', { timezone: 'Asia/Kolkata' });
      await hooks.call('PUT', `/task/${hook.uuid}`, { ...hook, config: zone.config });
      expect(await dueOf(hook)).toBe(Date.parse('2031-04-29T18:30:00Z'));
    });

    it('is not due while it is stopped, or once it is removed or something else', async () => {
      const { logger, lines } = captureLogger();
      const hooks = await context.start({}, { logger });
      const [stopped, removed, other, gone] = [1, 2, 3, 4].map(() => schedulerHook(NEVER_NOW)) as [
        NodeHook,
        NodeHook,
        NodeHook,
        NodeHook,
      ];
      await post(hooks, stopped, removed, other, gone);

      await hooks.call('GET', `/task/${stopped.uuid}/stop`);
      expect(await dueOf(stopped)).toBeUndefined();
      await post(hooks, { ...stopped, config: schedulerHook('@daily').config });
      expect(await dueOf(stopped)).toBeUndefined();
      await hooks.call('GET', `/task/${stopped.uuid}/start`);
      expect(await dueOf(stopped)).toBe(midnight() + DAY);

      await hooks.call('DELETE', `/task/${removed.uuid}`);
      expect(await dueOf(removed)).toBeUndefined();

      // As after a crash between the change of a task and what follows from it.
      await post(hooks, { ...plainHook(), uuid: other.uuid });
      await context.redisClient.del(hookKeys(gone.uuid).task);
      await Promise.all([forgeDue(other, 1_000), forgeDue(gone, 1_000)]);
      await waitFor(async () => !(await dueOf(other)) && !(await dueOf(gone)));
      expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
      expect(context.api.runs()).toEqual([]);
    });

    it('that is due in a time to which the clock was put back runs when that has come, or is started anew', async () => {
      const hooks = await context.start();
      const hook = schedulerHook('* * * * *');
      await post(hooks, hook);
      const ahead = midnight() + 2 * DAY;
      await forgeDue(hook, ahead);

      await post(hooks, hook);
      await hooks.call('GET', `/task/${hook.uuid}/start`);
      expect(await dueOf(hook)).toBe(ahead);
      await hooks.call('GET', `/task/${hook.uuid}/stop`);
      await hooks.call('GET', `/task/${hook.uuid}/start`);
      expect(Number(await dueOf(hook)) - Date.now()).toBeLessThanOrEqual(60_000);
    });

    it('that was changed by one who died before he said so is due by its new schedule', async () => {
      const hooks = await context.start();
      const hook = schedulerHook(NEVER_NOW);
      await post(hooks, hook);
      const { config } = schedulerHook('0 0 30 4 * 2031');
      await context.redisClient.hset(hookKeys(hook.uuid).task, 'config', JSON.stringify(config));
      await forgeDue(hook, 1_000);
      await waitFor(async () => (await dueOf(hook)) === Date.parse('2031-04-30T00:00:00Z'));
      expect(context.api.runs()).toEqual([]);
    });

    it('that the API does not list any more is removed, and one that it lists is due', async () => {
      const listed = schedulerHook(NEVER_NOW);
      const unlisted = schedulerHook(NEVER_NOW);
      context.api.hooks = [listed];
      const first = await context.start({}, { timing: { recentMs: 500 } });
      await waitFor(async () => (await dueOf(listed)) !== undefined);
      await post(first, unlisted);
      await forgeDue(listed, Date.parse('2030-01-01T00:00:00Z'));

      // Also one that runs so often that something of it waits all the time.
      context.api.behave = ({ url }) => (url.endsWith('/runs') ? { delayMs: 60_000 } : 'ok');
      await forgeDue(unlisted, Date.now());
      await waitFor(async () => (await waiting(unlisted)) === 1);
      await first.service.stop(100);
      await context.start({}, { timing: { recentMs: 500 } });
      await waitFor(async () => (await dueOf(unlisted)) === undefined);
      expect(await dueOf(listed)).toBe(Date.parse('2030-01-01T00:00:00Z'));
    });

    it('that is disabled everywhere runs late once it is not any more', async () => {
      const disabled = await context.start({ disable: true });
      const hook = schedulerHook('@daily');
      await post(disabled, hook);
      await forgeDue(hook, midnight() - DAY);
      await waitFor(async () => (await disabled.status())['Schedulers Late']?.status === 'AL');
      expect(runsOf(hook)).toEqual([]);

      await context.start();
      await waitFor(() => runsOf(hook).length === 1);
    });
  });

  describe('are refused when they are posted', () => {
    it.each([
      ['* 25 * * *', {}, 'cron: field 2 (hour) at column 3: 25 is beyond 23'],
      ['', {}, 'cron: at column 1: it has 0 fields'],
      ['@reboot', {}, 'cron: at column 1: "@reboot" is unknown'],
      ['@daily', { timezone: 'Europe/Pari' }, 'timezone: "Europe/Pari" is no time zone'],
      ['@daily', { payload: LARGE }, 'payload: the JSON body holds more than'],
    ])('%s %#', async (cron, change, message) => {
      const hooks = await context.start();
      const bad = schedulerHook(cron, change);
      const good = schedulerHook('@daily');

      const one = await hooks.call('POST', '/task', bad);
      const bulk = await hooks.call('POST', '/task/bulk', { [good.uuid]: good, [bad.uuid]: bad });

      for (const { status, body } of [one, bulk]) {
        expect(status).toBe(400);
        expect(body).toMatchObject({ id: 74, message: expect.stringContaining(message) });
      }
      expect(await hooks.tasks()).toEqual([]);
      expect(await context.redisClient.zcard(KEYS.due)).toBe(0);
    });

    it('and do not start when an older version kept them', async () => {
      const { logger, lines } = captureLogger();
      const hooks = await context.start({}, { logger });
      const uuid = randomUUID();
      const hook = { ...schedulerHook('@daily'), uuid };
      await post(hooks, hook);
      const { config } = schedulerHook('* 25 * * *');
      await context.redisClient.hset(hookKeys(uuid).task, 'config', JSON.stringify(config));

      const { status, body } = await hooks.call('GET', `/task/${uuid}/start`);
      expect(status).toBe(501);
      expect(body).toMatchObject({ message: expect.stringContaining('25 is beyond 23') });
      await forgeDue(hook, 1_000);
      await waitFor(async () => (await dueOf(hook)) === undefined);
      const logged = () => lines.filter(({ msg }) => String(msg).includes('scheduler is invalid'));
      await waitFor(() => logged().length >= 1);
      expect(logged()).toHaveLength(1);

      await context.redisClient.hset(hookKeys(uuid).task, 'config', '{');
      await forgeDue(hook, 1_000);
      await waitFor(async () => (await dueOf(hook)) === undefined);
      await waitFor(() => logged().length >= 2);
      expect(logged()).toHaveLength(2);
      await post(hooks, hook);
      expect(await dueOf(hook)).toBeGreaterThan(Date.now());
    });
  });

  describe('when Redis is away', () => {
    it('run again as soon as it is back, without a time twice', async () => {
      const hooks = await context.start({ executionHistory: 100 });
      const hook = schedulerHook(EVERY_SECOND);
      await post(hooks, hook);
      await waitFor(() => runsOf(hook).length >= 2);

      await context.redis.kill();
      await context.redis.start();
      const before = runsOf(hook).length;
      await waitFor(() => runsOf(hook).length >= before + 3);
      await waitFor(async () => (await hooks.call('GET', `/task/${hook.uuid}/stop`)).status < 300);

      const times = await timesOf(hooks, hook);
      expect(new Set(times).size).toBe(times.length);
      expect(times).toEqual(times.map((_, index) => (times[0] ?? 0) + 1000 * index));
    });
  });
});
