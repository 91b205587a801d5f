import { readExecution } from '@cds/hooks-store';
import { fieldsOf, hookKeys, KEYS } from '@cds/hooks-store/keys';
import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook } from '@cds/wire';
import { allDone, execution, push } from '../../test/deliveries';
import { plainHook, repositoryHook } from '../../test/node-hooks';
import { post, type RunningHooks } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { type Change, pushDelivery } from '../../test/pushes';

const context = useTestContext();

/** The samples of a scrape: name and labels → value. */
async function scrape({ url }: RunningHooks): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/mon/metrics`)).text();
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, sample = '', value] = /^([a-z0-9_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return value === undefined ? [] : [[sample, Number(value)] as const];
    }),
  );
}

async function withHook(hooks: RunningHooks, hook = repositoryHook()): Promise<NodeHook> {
  await post(hooks, hook);
  return hook;
}

const oldest = (task: string) => `cds_hooks_oldest_waiting_delivery_seconds{task="${task}"}`;
const OLDEST_LINE = 'Oldest Waiting Delivery';

/** Makes what waits at the hook an hour older than it is. */
async function age(hook: NodeHook): Promise<void> {
  for (const key of [KEYS.waitingSince, KEYS.stoppedWaitingSince]) {
    const since = await context.redisClient.zscore(key, hook.uuid);
    if (since) await context.redisClient.zadd(key, Number(since) - 3_600_000, hook.uuid);
  }
}

describe('the oldest delivery that waits', () => {
  it('is shown with its age, apart for tasks that somebody stopped, and gone when it is worked off', async () => {
    // The sweep would put the age right again.
    const hooks = await context.start({}, { timing: { sweepMs: 600_000 } });
    const hook = await withHook(hooks);
    context.api.behave = ({ method }) => (method === 'POST' ? { html: 502 } : 'ok');
    expect((await scrape(hooks)).get(oldest('running'))).toBe(0);
    expect((await hooks.status())[OLDEST_LINE]?.status).toBe('OK');
    await push(hooks, hook, { push: 'main' });
    await age(hook);

    const waits = await scrape(hooks);
    expect(waits.get(oldest('running'))).toBeGreaterThanOrEqual(3_600);
    expect(waits.get(oldest('running'))).toBeLessThan(3_700);
    expect(waits.get(oldest('stopped'))).toBe(0);
    expect((await hooks.status())[OLDEST_LINE]).toMatchObject({
      status: 'AL',
      value: expect.stringMatching(/^1h0m\d+s, stopped tasks aside$/),
    });

    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await age(hook);
    const stopped = await scrape(hooks);
    expect(stopped.get(oldest('running'))).toBe(0);
    expect(stopped.get(oldest('stopped'))).toBeGreaterThanOrEqual(3_600);
    expect(stopped.get('cds_hooks_stopped_tasks')).toBe(1);
    expect((await hooks.status())[OLDEST_LINE]?.status).toBe('OK');

    context.api.behave = () => 'ok';
    await hooks.call('GET', `/task/${hook.uuid}/start`);
    await allDone(hooks, hook);
    const done = await scrape(hooks);
    expect([done.get(oldest('running')), done.get(oldest('stopped'))]).toEqual([0, 0]);
    expect(done.get('cds_hooks_stopped_tasks')).toBe(0);
  });
});

describe('a scrape', () => {
  it('asks Redis once, and scans nothing', async () => {
    const hooks = await context.start(
      {},
      { timing: { sweepMs: 600_000, lockHeartbeatMs: 600_000 } },
    );
    await withHook(hooks);
    const calls = async (): Promise<Map<string, number>> => {
      const info = await context.redisClient.info('commandstats');
      return new Map(
        [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, command = '', count]) => [
          command,
          Number(count),
        ]),
      );
    };
    await scrape(hooks);
    const scraped = async () => {
      const before = await calls();
      await scrape(hooks);
      const after = await calls();
      const asked = (command: string) => (after.get(command) ?? 0) - (before.get(command) ?? 0);
      const read = ['zrange', 'scard'].map(asked);
      const scans = ['scan', 'sscan', 'hscan', 'zscan', 'keys', 'smembers', 'hgetall'].filter(
        (command) => asked(command) > 0,
      );
      return { read, scans };
    };
    // What the service asks by itself meanwhile is counted, too: never less than the scrape alone.
    const isAlone = async () => {
      const { read, scans } = await scraped();
      return read.join() === '2,1' && scans.length === 0;
    };
    await waitFor(isAlone, { what: 'a scrape of two ZRANGE, one SCARD and no scan' });
  });

  it('has no number of what stands in a Redis that does not answer', async () => {
    const hooks = await context.start();
    await withHook(hooks);
    context.redis.freeze();
    try {
      const samples = await scrape(hooks);
      expect(samples.get('cds_hooks_redis_up')).toBe(0);
      expect(
        [...samples.keys()].filter((name) => /waiting_|_waiting|pending|dead_letters\{/.test(name)),
      ).toEqual([]);
    } finally {
      context.redis.thaw();
    }
    await waitFor(async () => (await scrape(hooks)).get('cds_hooks_redis_up') === 1);
  });
});

describe('what is counted', () => {
  it('are runs by the answer of the API, retries by their reason, cleanups, heartbeats and requests', async () => {
    const hooks = await context.start({ branchDeletion: { delaySeconds: 0 } });
    const hook = await withHook(hooks);
    const start = await scrape(hooks);
    for (const result of ['ok', 'refused', 'unavailable', 'unauthorized', 'failed'])
      expect(start.get(`cds_hooks_runs_total{result="${result}"}`)).toBe(0);

    const answers = [{ html: 502 }, { refuse: 400 }, 'unauthorized', 'ok'] as const;
    let asked = 0;
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? (answers[asked++] ?? 'ok') : 'ok');
    await push(hooks, hook, { push: 'main' }, { deleted: 'gone' });
    await allDone(hooks, hook);
    await waitFor(() => context.api.deletions().length === 1);
    await hooks.call('GET', '/task/no-such-task');
    await fetch(`${hooks.url}/any/path/0`);

    const samples = await waitFor(async () => {
      const now = await scrape(hooks);
      return now.get('cds_hooks_cleanups_total{result="done"}') === 1 ? now : undefined;
    });
    const runs = (result: string) => samples.get(`cds_hooks_runs_total{result="${result}"}`);
    expect([runs('ok'), runs('refused'), runs('unavailable'), runs('unauthorized')]).toEqual([
      1, 1, 1, 1,
    ]);
    expect(samples.get('cds_hooks_run_duration_seconds_count')).toBe(4);
    expect(samples.get('cds_hooks_retries_total{kind="run",reason="refused"}')).toBe(1);
    expect(samples.get('cds_hooks_retries_total{kind="run",reason="unavailable"}')).toBe(1);
    expect(samples.get('cds_hooks_retries_total{kind="cleanup",reason="refused"}')).toBe(0);
    expect(samples.get('cds_hooks_cleanups_total{result="scheduled"}')).toBe(1);
    expect(samples.get('cds_hooks_heartbeats_total{result="ok"}')).toBeGreaterThan(0);
    expect(samples.get('cds_hooks_heartbeat_success_timestamp_seconds')).toBeGreaterThan(1.7e9);
    const requests = (labels: string) => samples.get(`cds_hooks_http_requests_total{${labels}}`);
    expect(requests('route="/task/bulk",method="POST",status="2xx"')).toBe(1);
    expect(requests('route="/task/:uuid",method="GET",status="4xx"')).toBe(1);
    expect(requests('route="other",method="GET",status="4xx"')).toBeGreaterThan(0);
    expect([...samples.keys()].join('\n')).not.toContain('any/path');
    expect(samples.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });

  it('are heartbeats that failed', async () => {
    const hooks = await context.start();
    await withHook(hooks);
    context.api.behave = ({ url }) => (url === '/services/register' ? { html: 502 } : 'ok');
    const samples = await waitFor(async () => {
      const now = await scrape(hooks);
      return (now.get('cds_hooks_heartbeat_failures') ?? 0) > 1 ? now : undefined;
    });
    expect(samples.get('cds_hooks_heartbeats_total{result="failed"}')).toBeGreaterThan(1);
  });
});

describe('one request id', () => {
  const ID = 'f0e9c6b2-7d1c-4c0e-9d8a-3b1d2a4c5e6f';

  async function deliver(hooks: RunningHooks, hook: NodeHook, id: string, ...changes: Change[]) {
    const request = pushDelivery(...changes);
    const answer = await hooks.webhook(hook.uuid, {
      ...request,
      headers: { ...request.headers, 'X-Request-Id': id },
    });
    expect(answer.headers.get('X-Request-Id')).toBe(id);
  }

  it('names a delivery in every line, to its runs and the removal of runs, at the API and when it is sent again', async () => {
    const { logger, lines } = captureLogger();
    const change = { retryError: 2, branchDeletion: { delaySeconds: 0 } };
    const hooks = await context.start(change, { logger });
    const hook = await withHook(hooks);
    const answers = [{ html: 502 }, 'ok', { refuse: 400 }, { refuse: 400 }] as const;
    let asked = 0;
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? (answers[asked++] ?? 'ok') : 'ok');
    await deliver(hooks, hook, ID, { push: 'good' }, { deleted: 'gone' }, { push: 'bad' });
    await allDone(hooks, hook);
    const { timestamp } = await execution(hooks, hook);
    await hooks.call('POST', `/admin/dead-letters/${hook.uuid}/${timestamp}/retry`);
    await waitFor(() => context.api.runs().length === 2);
    await hooks.call('POST', `/admin/task/${hook.uuid}/execution/${timestamp}/replay`);
    await waitFor(() => context.api.runs().length === 4);
    await waitFor(() => context.api.deletions().length === 1);
    const story = await waitFor(() => {
      const named = lines.filter(({ requestId }) => requestId === ID);
      const messages = named.map(({ msg }) => String(msg));
      const runs = messages.filter((msg) => msg === 'a run was started').length;
      // The API has counted a run before its line is written.
      return runs >= 4 && messages.some((msg) => /were removed/.test(msg)) ? named : undefined;
    });

    const at = (level: number) =>
      story.filter((line) => line.level === level).map(({ msg }) => msg);
    expect(at(20)).toContain('delivery accepted');
    expect(at(30).filter((msg) => msg === 'a run was started')).toHaveLength(4);
    expect(at(30)).toEqual(
      expect.arrayContaining([
        'branch deleted: the removal of its runs is scheduled',
        'the runs of a deleted branch were removed',
      ]),
    );
    expect(at(40)).toContain('a run was not started: trying again later');
    expect(at(50)).toHaveLength(1);
    expect(story.find(({ msg }) => msg === 'a run was started')).toMatchObject({
      ...{ hook: hook.uuid, execution: timestamp, project: 'PROJ', workflow: 'wf1', run: 1 },
      branch: 'good',
    });
    expect(story.find(({ msg }) => msg === 'delivery accepted')).toMatchObject({
      requestUuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(story.some(({ replay_of }) => replay_of === timestamp)).toBe(true);
    const sent = context.api.calls.filter(({ url }) => url.includes('/runs'));
    expect([...new Set(sent.map(({ requestId }) => requestId))]).toEqual([ID]);
  });

  it('of a push that cancels a cleanup is told together with that of the deletion', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({}, { logger });
    const hook = await withHook(hooks);
    await deliver(hooks, hook, 'the-deletion', { deleted: 'b' });
    await deliver(hooks, hook, 'the-push', { push: 'b' });
    const cancelled = await waitFor(() =>
      lines.find(({ msg }) => /pushed again/.test(String(msg))),
    );
    expect(cancelled).toMatchObject({ requestId: 'the-push', scheduledBy: 'the-deletion' });
  });

  it('is not needed: what an older version accepted is worked off, whatever stands in its place', async () => {
    const before = await context.start({ disable: true });
    const hook = await withHook(before, plainHook());
    for (let i = 0; i < 3; i++) await before.webhook(hook.uuid, { body: '{}' });
    await before.service.stop(1_000);
    const { executions } = hookKeys(hook.uuid);
    const ids = (await context.redisClient.hkeys(executions))
      .filter((field) => /^\d+$/.test(field))
      .sort();
    const strange = [undefined, 'a\r\nX-Evil: 1', { an: 'object' }];
    for (const [index, id] of ids.entries()) {
      const [json, body] = await context.redisClient.hmget(executions, ...fieldsOf([id]));
      const stored = readExecution(json ?? '{}', body);
      const changed = JSON.stringify({ ...stored, request_id: strange[index] });
      await context.redisClient.hset(executions, id, changed);
    }

    const hooks = await context.start();
    await allDone(hooks, hook);
    expect(context.api.runs()).toHaveLength(3);
    expect(context.api.calls.map(({ requestId }) => requestId).filter(Boolean)).toEqual([]);
  });
});
