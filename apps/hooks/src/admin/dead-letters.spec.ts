import { createDeadLetters, createDeliveryStore } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { awakeTime, captureLogger, waitFor } from '@cds/testing';
import type { HookConfig, NodeHook, TaskExecution } from '@cds/wire';
import { useClock } from '../../test/clock';
import { allDone, execution, push, refsOf } from '../../test/deliveries';
import { plainHook, repositoryHook } from '../../test/node-hooks';
import { post, type RunningHooks } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { bitbucketHeaders } from '../../test/pushes';
import { settled } from '../../test/settled';

interface Letter {
  kind: string;
  uuid: string;
  timestamp: number;
  last_error: string;
}

const DAY = 86_400_000;

describe('dead letters', () => {
  const context = useTestContext();
  const clock = useClock();
  /** Branches that the API refuses. */
  let refused: Set<string>;

  beforeEach(() => {
    refused = new Set(['bad']);
    context.api.behave = ({ body, url }) => {
      const run = (body as { hook?: { payload: Record<string, string> } } | null)?.hook;
      const branch = run?.payload['git.branch'] ?? decodeURIComponent(url.split('/').at(-1) ?? '');
      return refused.has(branch) ? { refuse: 404, id: 92, message: 'no such workflow' } : 'ok';
    };
  });

  const start = (change = {}) => context.start({ retryError: 1, ...change });
  const refs = (hook?: NodeHook) => refsOf(context, hook);

  async function letters(hooks: RunningHooks, query = ''): Promise<Letter[]> {
    const { status, body } = await hooks.call('GET', `/admin/dead-letters${query}`);
    if (status !== 200) throw new Error(`GET /admin/dead-letters answered ${status}`);
    return body as Letter[];
  }

  async function withHook(hooks: RunningHooks): Promise<NodeHook> {
    const hook = repositoryHook();
    await post(hooks, hook);
    return hook;
  }

  const at = ({ uuid, timestamp }: { uuid: string; timestamp: number }) => `${uuid}/${timestamp}`;
  const errorIn = (answer: { body: unknown }) => (answer.body as { message: string }).message;

  it('are kept apart: listed and counted, never trimmed with the history, deleted with it', async () => {
    const hooks = await start({ executionHistory: 2 });
    const [hook, other] = [await withHook(hooks), await withHook(hooks)];
    await push(hooks, hook, { push: 'bad' });
    for (const name of ['a', 'b', 'c']) await push(hooks, hook, { push: name });
    await push(hooks, other, { push: 'bad' });
    await allDone(hooks, hook);
    await allDone(hooks, other);

    const listed = await letters(hooks);
    expect(listed).toEqual(
      [other, hook].map(({ uuid }) => ({
        kind: 'execution',
        uuid,
        timestamp: expect.any(Number),
        type: 'RepoWebHook',
        project: 'PROJ',
        workflow: 'wf1',
        repository: 'jdoe/repo-0',
        branch: 'bad',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        nb_errors: 1,
        last_error: expect.stringContaining('no such workflow'),
        failed_at: expect.stringMatching(/^20\d\d-.*Z$/),
      })),
    );
    const kept = await hooks.executions(hook.uuid);
    expect(kept).toHaveLength(3);
    expect(kept.at(-1)).toMatchObject({ timestamp: listed[1]?.timestamp, status: 'DONE' });
    const path = `/task/${hook.uuid}/execution/${listed[1]?.timestamp}`;
    expect((await hooks.call('GET', path)).body).toMatchObject({ nb_errors: 1 });
    const counted = (await hooks.tasks()).find(({ uuid }) => uuid === hook.uuid);
    expect(counted).toMatchObject({ nb_executions_total: 3, nb_executions_todo: 0 });
    expect((await hooks.status())['Executions Failed']).toEqual({ status: 'WARN', value: '2' });

    await hooks.call('DELETE', `/task/${hook.uuid}/execution`);
    expect((await letters(hooks)).map(({ uuid }) => uuid)).toEqual([other.uuid]);
    await hooks.call('DELETE', `/task/${other.uuid}`);
    expect(await letters(hooks)).toEqual([]);
    expect(await context.redisClient.keys('cdsbb:hooks:dead:*')).toEqual([]);
    expect((await hooks.status())['Executions Failed']).toEqual({ status: 'OK', value: '0' });
  });

  it('are at most as many as deadLetters says: the oldest go, and the log says so once', async () => {
    const { logger, lines } = captureLogger();
    const hooks = await context.start({ retryError: 1, deadLetters: 2 }, { logger });
    const hook = await withHook(hooks);
    for (let i = 0; i < 5; i++) await push(hooks, hook, { push: 'bad' });
    await allDone(hooks, hook);

    const left = await letters(hooks);
    expect(left).toHaveLength(2);
    expect((await hooks.executions(hook.uuid)).map(({ timestamp }) => timestamp)).toEqual(
      left.map(({ timestamp }) => timestamp),
    );
    expect(await context.redisClient.hlen(hookKeys(hook.uuid).states)).toBe(2);
    expect(
      lines.filter(({ level, msg }) => level === 50 && /oldest are dropped/.test(String(msg))),
    ).toHaveLength(1);
    const metrics = await (await fetch(`${hooks.url}/mon/metrics`)).text();
    expect(metrics).toContain('\ncds_hooks_dead_letters_dropped_total 3\n');
  });

  it('sent again lead to the runs that had failed alone, once, after what waits', async () => {
    const hooks = await start();
    const hook = await withHook(hooks);
    refused.add('worse');
    await push(hooks, hook, { push: 'good' }, { push: 'bad' }, { tag: 'v1' }, { push: 'worse' });
    await allDone(hooks, hook);
    const [letter] = await letters(hooks);
    if (!letter) throw new Error('no dead letter');
    refused.delete('bad');
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await push(hooks, hook, { push: 'next' });

    const retry = () => hooks.call('POST', `/admin/dead-letters/${at(letter)}/retry`);
    expect((await retry()).status).toBe(204);
    const again = await retry();
    expect([again.status, errorIn(again)]).toEqual([
      409,
      expect.stringContaining('no dead letter, or no longer'),
    ]);
    // A stopped task stays stopped.
    expect(await context.redisClient.smembers(KEYS.pending)).toEqual([]);
    await settled(context);
    expect(refs()).toEqual(['good', 'v1']);
    expect(await letters(hooks)).toEqual([]);
    expect(await execution(hooks, hook)).toMatchObject({ status: '', nb_errors: 0 });
    expect((await hooks.status()).Queue?.value).toBe('2');
    await hooks.call('GET', `/task/${hook.uuid}/start`);
    await allDone(hooks, hook);

    expect(refs()).toEqual(['good', 'v1', 'next', 'bad']);
    // What failed again is a dead letter again, and of that only what failed this time is asked
    // for.
    expect(await letters(hooks)).toMatchObject([{ uuid: hook.uuid, timestamp: letter.timestamp }]);
    refused.clear();
    await retry();
    await allDone(hooks, hook);
    expect(refs()).toEqual(['good', 'v1', 'next', 'bad', 'worse']);
    expect(await letters(hooks)).toEqual([]);
    expect((await hooks.status()).Queue?.value).toBe('0');
  });

  it('sent again are woken at once through the service, and found by the sweep through Redis alone', async () => {
    const hooks = await context.start({ retryError: 1 }, { timing: { sweepMs: 2_000 } });
    const hook = await withHook(hooks);
    await push(hooks, hook, { push: 'bad' });
    await allDone(hooks, hook);
    const [letter] = await letters(hooks);
    refused.clear();

    await hooks.call('POST', `/admin/dead-letters/${hook.uuid}/${letter?.timestamp}/retry`);
    await waitFor(() => refs().length === 1);
    await allDone(hooks, hook);

    refused.add('bad');
    await push(hooks, hook, { push: 'bad' });
    await allDone(hooks, hook);
    refused.clear();
    await createDeadLetters({ redis: context.redisClient }).retryAll({ until: Date.now() + 5_000 });
    await waitFor(() => refs().length === 2);
  });

  it('neither schedule nor cancel a cleanup when they are sent again or replayed', async () => {
    const hooks = await start();
    const hook = await withHook(hooks);
    // The branch of the first delivery is deleted by the second, and the one that it deleted is
    // back.
    await push(hooks, hook, { push: 'bad' }, { deleted: 'old' });
    await push(hooks, hook, { deleted: 'bad' }, { push: 'old' });
    await allDone(hooks, hook);
    const [letter] = await letters(hooks);
    refused.clear();
    await hooks.call('POST', `/admin/dead-letters/${hook.uuid}/${letter?.timestamp}/retry`);
    await waitFor(() => refs().length === 2);
    await allDone(hooks, hook);
    const replay = `/admin/task/${hook.uuid}/execution/${letter?.timestamp}/replay`;
    expect((await hooks.call('POST', replay)).status).toBe(200);
    await waitFor(() => refs().length === 3);
    // Also one that still waits when the cleanup is due.
    const second = (await hooks.executions(hook.uuid)).at(-2) as TaskExecution;
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await hooks.call('POST', `/admin/task/${hook.uuid}/execution/${second.timestamp}/replay`);

    clock.pass(DAY);
    await waitFor(() => context.api.deletions().length > 0);
    await settled(context);
    expect(refs()).toEqual(['old', 'bad', 'bad']);
    expect(context.api.deletions()).toEqual(['/project/PROJ/workflows/wf1/runs/branch/bad']);
    expect((await hooks.tasks()).filter(({ type }) => type === 'BranchDeletion')).toEqual([]);
  });

  it('are listed a page at a time, of all tasks or one, and sent again or dropped all at once', async () => {
    const hooks = await start();
    const hookList = [await withHook(hooks), await withHook(hooks), await withHook(hooks)];
    for (let i = 0; i < 3; i++) {
      for (const hook of hookList) await push(hooks, hook, { push: 'bad' }, { tag: `v${i}` });
    }
    for (const hook of hookList) await allDone(hooks, hook);
    const [one] = hookList as [NodeHook];

    const all = await letters(hooks);
    expect(all).toHaveLength(9);
    expect(all.map(({ timestamp }) => timestamp)).toEqual(
      all.map(({ timestamp }) => timestamp).toSorted((a, b) => b - a),
    );
    expect(await letters(hooks, '?offset=2&limit=3')).toEqual(all.slice(2, 5));
    expect(await letters(hooks, '?offset=9')).toEqual([]);
    expect(await letters(hooks, `?uuid=${one.uuid}&limit=2`)).toEqual(
      all.filter(({ uuid }) => uuid === one.uuid).slice(0, 2),
    );

    refused.clear();
    const before = refs(one).length;
    expect((await hooks.call('POST', `/admin/dead-letters/retry?uuid=${one.uuid}`)).body).toEqual({
      executions: 3,
      cleanups: 0,
      more: false,
    });
    await waitFor(() => refs(one).length === before + 3);
    expect(refs(one).slice(before)).toEqual(['bad', 'bad', 'bad']);
    expect((await hooks.call('DELETE', '/admin/dead-letters')).body).toEqual({
      executions: 6,
      cleanups: 0,
      more: false,
    });
    expect(await letters(hooks)).toEqual([]);
    expect(await context.redisClient.zcard(KEYS.failed)).toBe(0);
  });

  it('stay sent again when what gave them up is repeated late', async () => {
    const hooks = await start({ disable: true });
    const hook = await withHook(hooks);
    await push(hooks, hook, { push: 'bad' });
    const store = createDeliveryStore({
      redis: context.redisClient,
      executionHistory: 10,
      deadLetters: 10,
      signature: 'auto',
    });
    const lock = { uuid: hook.uuid, lockToken: 'worker/1' };
    const taken = await store.takePending(hook.uuid, lock.lockToken, 'job');
    if (taken.kind !== 'work') throw new Error(taken.kind);
    const { id, state } = taken.pending;
    const finish = () => store.finish(lock, id, { ...state, status: 'DONE', failed: true }, '');

    expect(await finish()).toEqual({ saved: 'ok', dropped: 0 });
    expect(await finish()).toEqual({ saved: 'gone', dropped: 0 });
    expect(await createDeadLetters({ redis: context.redisClient }).retry(hook.uuid, id)).toBe('ok');
    expect(await finish()).toEqual({ saved: 'gone', dropped: 0 });
    expect(await context.redisClient.lrange(hookKeys(hook.uuid).waiting, 0, -1)).toEqual([id]);
    expect(await letters(hooks)).toEqual([]);
  });

  it('can be dropped one by one', async () => {
    const hooks = await start();
    const hook = await withHook(hooks);
    await push(hooks, hook, { push: 'bad' });
    await allDone(hooks, hook);
    const [letter] = await letters(hooks);
    const path = `/admin/dead-letters/${hook.uuid}/${letter?.timestamp}`;

    expect((await hooks.call('DELETE', path)).status).toBe(204);
    expect((await hooks.call('DELETE', path)).status).toBe(404);
    expect(await hooks.executions(hook.uuid)).toEqual([]);
  });

  it('are cleanups that failed, too, but not those that an operator ended', async () => {
    const hooks = await start();
    const hook = await withHook(hooks);
    refused.add('other');
    await push(hooks, hook, { deleted: 'bad' }, { deleted: 'other' }, { deleted: 'ended' });
    await allDone(hooks, hook);
    const cleanups = () =>
      hooks.tasks().then((tasks) => tasks.filter(({ type }) => type === 'BranchDeletion'));
    const ended = (await cleanups()).find(({ config }) => config?.branch?.value === 'ended');
    const [its] = await hooks.executions(ended?.uuid ?? '');
    await hooks.call('POST', `/task/${ended?.uuid}/execution/${its?.timestamp}/stop`);
    clock.pass(DAY);
    await waitFor(async () => (await letters(hooks)).length === 2);

    const [letter, other] = await letters(hooks, `?uuid=${hook.uuid}`);
    expect(letter).toMatchObject({
      kind: 'cleanup',
      type: 'BranchDeletion',
      project: 'PROJ',
      workflow: 'wf1',
      repository: 'jdoe/repo-0',
      branch: expect.stringMatching(/^(bad|other)$/),
      last_error: expect.stringContaining('no such workflow'),
    });
    if (!letter || !other || !ended || !its) throw new Error('not enough cleanups');
    const stopped = await hooks.call('POST', `/admin/dead-letters/${at(its)}/retry`);
    expect(stopped.status).toBe(409);
    expect((await hooks.status())['Branch Deletions Failed']?.value).toBe('2');

    refused.clear();
    expect((await hooks.call('DELETE', `/admin/dead-letters/${at(other)}`)).status).toBe(204);
    expect((await hooks.call('POST', `/admin/dead-letters/${at(letter)}/retry`)).status).toBe(204);
    await waitFor(() => context.api.deletions().length === 1);
    await waitFor(async () => (await cleanups()).length === 1);
    expect(await letters(hooks)).toEqual([]);
    expect((await hooks.call('POST', '/admin/dead-letters/retry')).body).toEqual({
      executions: 0,
      cleanups: 0,
      more: false,
    });
  });

  it('are not executions that an operator stopped, but deliveries that cannot be read', async () => {
    const hooks = await start({ retryError: 3, retryDelaySeconds: 600 });
    const hook = await withHook(hooks);
    await push(hooks, hook, { push: 'bad' });
    await waitFor(async () => (await execution(hooks, hook)).nb_errors === 1);
    const { timestamp } = await execution(hooks, hook);
    await hooks.call('POST', `/task/${hook.uuid}/execution/${timestamp}/stop`);
    expect(await letters(hooks)).toEqual([]);

    const plain = plainHook();
    await post(hooks, plain);
    await hooks.call('GET', `/task/${plain.uuid}/stop`);
    await hooks.webhook(plain.uuid, { query: 'a=1' });
    await post(hooks, { ...plain, hook_model_name: 'RepositoryWebHook' });
    await hooks.call('GET', `/task/${plain.uuid}/start`);
    await waitFor(async () => (await letters(hooks)).length === 1);
    expect(await letters(hooks)).toMatchObject([
      { uuid: plain.uuid, last_error: expect.stringContaining('the body is not JSON') },
    ]);

    await post(hooks, plain);
    await hooks.call('POST', `/admin/dead-letters/retry`);
    await waitFor(() => refs(plain).length === 1);
  });

  it.each([
    ['GET', '/admin/dead-letters?limit=0', 400, /query limit is 0: .*1 to 1000/],
    ['GET', '/admin/dead-letters?limit=1001', 400, /limit is more than 1000/],
    ['GET', '/admin/dead-letters?offset=-1', 400, /offset is no whole number/],
    ['GET', '/admin/dead-letters?limit=1&limit=2', 400, /query limit/],
    ['GET', '/admin/dead-letters?uuid=a%2Fb', 400, /uuid is no uuid of a task/],
    ['POST', '/admin/dead-letters/retry?all=1', 400, /all/],
    ['POST', '/admin/dead-letters/x/17/retry', 400, /ends in 000/],
    ['DELETE', '/admin/dead-letters/x/1000000', 404, /GET \/admin\/dead-letters lists them/],
    ['POST', '/admin/task/x/execution/1000000/replay', 404, /no execution of this timestamp/],
    ['DELETE', '/admin/task/x/signature', 404, /no task has this uuid/],
    ['GET', '/admin/anything', 404, /resource not found/],
  ])('%s %s is answered %i', async (method, path, status, sentence) => {
    const hooks = await start();
    const answer = await hooks.call(method, path);

    expect(errorIn(answer)).toMatch(sentence);
    expect(answer.status).toBe(status);
    expect((await fetch(hooks.url + path, { method })).status).toBe(401);
  });

  it('are shown to Prometheus, with and without Redis', async () => {
    const hooks = await start();
    const hook = await withHook(hooks);
    await push(hooks, hook, { push: 'bad' }, { deleted: 'old' });
    await push(hooks, hook, { push: 'good' });
    await allDone(hooks, hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await push(hooks, hook, { push: 'later' });
    const metrics = async () => (await fetch(`${hooks.url}/mon/metrics`)).text();
    const shown = [
      'cds_hooks_redis_up 1',
      'cds_hooks_dead_letters{kind="execution"} 1',
      'cds_hooks_dead_letters{kind="cleanup"} 0',
      'cds_hooks_waiting_deliveries 1',
      'cds_hooks_cleanups_pending 1',
      'cds_hooks_executions_total{result="done"} 1',
      'cds_hooks_executions_total{result="failed"} 1',
      'cds_hooks_cleanups_total{result="cancelled"} 0',
    ];
    const lines = (await metrics()).split('\n');
    for (const line of shown) expect(lines).toContain(line);

    for (const away of [() => context.redis.kill(), async () => context.redis.freeze()]) {
      await away();
      let text = '';
      expect(await awakeTime(async () => (text = await metrics()))).toBeLessThan(2_000);
      expect(text).toContain('\ncds_hooks_redis_up 0\n');
      expect(text).toContain('\ncds_hooks_executions_total{result="failed"} 1\n');
      expect(text).not.toMatch(
        /^cds_hooks_(dead_letters\{|waiting_deliveries |cleanups_pending )/m,
      );
      if (away.toString().includes('freeze')) context.redis.thaw();
      else await context.redis.start();
      await waitFor(async () => (await metrics()).includes('\ncds_hooks_redis_up 1\n'));
    }
    await waitFor(async () => (await metrics()).includes('{kind="execution"} 1\n'));
  });

  it('warns of a Redis that may lose them, in the log and in /mon/status', async () => {
    const { logger, lines } = captureLogger();
    await context.redisClient.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const hooks = await context.start({}, { logger });
      await waitFor(async () => (await hooks.status())['Redis Settings']);
      expect((await hooks.status())['Redis Settings']).toEqual({
        status: 'WARN',
        value: expect.stringContaining('redis-cli CONFIG SET maxmemory-policy noeviction'),
      });
      expect(lines.filter(({ msg }) => msg === 'Redis may lose deliveries')).toHaveLength(1);
    } finally {
      await context.redisClient.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  describe('replay', () => {
    it('asks for every run of any execution again, as a new one', async () => {
      const hooks = await start();
      const hook = await withHook(hooks);
      await push(hooks, hook, { push: 'a' }, { tag: 'v1' });
      await allDone(hooks, hook);
      const first = await execution(hooks, hook);
      const path = `/admin/task/${hook.uuid}/execution/${first.timestamp}/replay`;

      const { status, body } = await hooks.call('POST', path);
      await waitFor(() => refs().length === 4);
      await allDone(hooks, hook);
      const repeated = (await hooks.call('POST', path)).body;

      expect([status, body]).toEqual([
        200,
        {
          uuid: hook.uuid,
          timestamp: expect.any(Number),
          replay_of: first.timestamp,
          repeated: false,
        },
      ]);
      const { timestamp } = body as { timestamp: number };
      expect(repeated).toEqual({ ...(body as object), repeated: true });
      expect(refs()).toEqual(['a', 'v1', 'a', 'v1']);
      expect(await hooks.executions(hook.uuid)).toMatchObject([
        { timestamp, replay_of: first.timestamp, webhook: first.webhook, status: 'DONE' },
        { timestamp: first.timestamp },
      ]);
    });

    it('keeps the payload of a plain webhook, and runs the workflow that it has now', async () => {
      const hooks = await start();
      const hook = plainHook();
      await post(hooks, hook);
      await hooks.webhook(hook.uuid, { query: 'n=7' });
      await allDone(hooks, hook);
      const { timestamp } = await execution(hooks, hook);
      const config = { ...hook.config, workflow: { ...hook.config.workflow, value: 'renamed' } };
      await post(hooks, { ...hook, config: config as HookConfig });

      await hooks.call('POST', `/admin/task/${hook.uuid}/execution/${timestamp}/replay`);
      await waitFor(() => context.api.runs().length === 2);
      expect(context.api.runs()).toMatchObject([
        { workflow: 'wf2', hook: { payload: { n: '7' } } },
        { workflow: 'renamed', hook: { payload: { n: '7' } } },
      ]);
    });

    it('is refused for what starts no run, and for what has not ended', async () => {
      const hooks = await start();
      const hook = await withHook(hooks);
      await push(hooks, hook, { deleted: 'old' }, { deletedTag: 'v1' });
      await hooks.webhook(hook.uuid, { headers: bitbucketHeaders('repo:fork'), body: '{}' });
      await allDone(hooks, hook);
      await hooks.call('GET', `/task/${hook.uuid}/stop`);
      await push(hooks, hook, { push: 'a' });
      const replay = async (index: number) => {
        const { timestamp } = await execution(hooks, hook, index);
        return hooks.call('POST', `/admin/task/${hook.uuid}/execution/${timestamp}/replay`);
      };

      const answers = [await replay(0), await replay(1), await replay(2)];
      expect(answers.map((answer) => [answer.status, errorIn(answer)])).toEqual([
        [400, expect.stringContaining('only deletes branches or tags')],
        [400, expect.stringContaining('the delivery is no push ("repo:fork")')],
        [409, expect.stringContaining('has not ended')],
      ]);
    });
  });

  it('lets the signature of a task be forgotten', async () => {
    const hooks = await start();
    const hook = await withHook(hooks);
    await context.redisClient.hset(hookKeys(hook.uuid).task, 'signed', '1');
    const path = `/admin/task/${hook.uuid}/signature`;

    expect((await hooks.call('DELETE', path)).status).toBe(204);
    expect((await hooks.call('DELETE', path)).status).toBe(204);
    await push(hooks, hook, { push: 'unsigned' });
    await waitFor(() => refs().length === 1);
  });
});
