import { captureLogger, waitFor } from '@cds/testing';
import type { NodeHook, Task } from '@cds/wire';
import { nodeHook, plainHook, repositoryHook } from '../../test/node-hooks';
import { errorOf, post, type RunningHooks } from '../../test/running-hooks';
import { useTestContext } from '../../test/test-context';
import { pushDelivery } from '../../test/pushes';

const NOBODY = '11111111-2222-4333-8444-555555555555';

describe('tasks', () => {
  const context = useTestContext();
  let hooks: RunningHooks;

  beforeEach(async () => {
    hooks = await context.start();
  });

  async function deliver(hook: NodeHook, times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      const response = await hooks.webhook(hook.uuid, pushDelivery({ push: `b${i}` }));
      if (response.status !== 200) throw new Error(`webhook answered ${response.status}`);
    }
  }

  async function allDone(hook: NodeHook): Promise<void> {
    await waitFor(async () =>
      (await hooks.executions(hook.uuid)).every((execution) => execution.status === 'DONE'),
    );
  }

  it('fills in the webHookURL of hooks that have one, and keeps them', async () => {
    const [repository, plain, scheduler] = [
      repositoryHook(),
      plainHook(),
      nodeHook('Scheduler', { cron: '* * * * *', project: 'PROJ', workflow: 'wf2' }),
    ];
    const body = Object.fromEntries(
      [repository, plain, scheduler].map((hook) => [hook.uuid, hook]),
    );

    const answer = await hooks.call('POST', '/task/bulk', body);

    const url = (hook: NodeHook) => ({
      value: `http://localhost:8083/webhook/${hook.uuid}`,
      configurable: false,
      type: '',
      multiple_choice_list: null,
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      [repository.uuid]: {
        ...repository,
        config: { ...repository.config, webHookURL: url(repository) },
      },
      [plain.uuid]: { ...plain, config: { ...plain.config, webHookURL: url(plain) } },
      [scheduler.uuid]: scheduler,
    });
    expect(await hooks.tasks()).toHaveLength(3);
  });

  it('keeps targets of outgoing workflow hooks, for which there is nothing to do', async () => {
    const workflow = nodeHook('Workflow', { project: 'PROJ', workflow: 'wft' });

    await post(hooks, workflow);

    expect(await hooks.task(workflow.uuid)).toMatchObject({ type: 'Workflow', config: null });
    expect((await hooks.call('GET', `/task/${workflow.uuid}/start`)).status).toBe(204);
    expect((await hooks.status())['Hooks not served Workflow']).toBeUndefined();
  });

  it.each([
    ['Kafka hook', 'Kafka', 'Kafka topics'],
    ['GerritHook', 'Gerrit', 'events of Gerrit'],
  ] as const)(
    'keeps hooks of the kind %s, says so, and refuses to start them',
    async (model, type, reason) => {
      const log = captureLogger();
      hooks = await context.start({}, { logger: log.logger });
      const [hook, other] = [nodeHook(model, { topic: 't' }), nodeHook(model, {})];

      await post(hooks, hook, other);

      expect(await hooks.task(hook.uuid)).toMatchObject({
        type,
        config: { topic: { value: 't' } },
      });
      const answer = await hooks.call('GET', `/task/${hook.uuid}/start`);
      expect(answer).toMatchObject({ status: 501, body: { id: 99 } });
      expect((answer.body as { message: string }).message).toContain(reason);
      expect((await hooks.call('GET', `/task/${hook.uuid}/stop`)).status).toBe(204);
      expect((await hooks.call('GET', '/task/bulk/start')).status).toBe(204);
      const status = await hooks.status();
      expect(status[`Hook Kafka`]).toEqual({ status: 'OK', value: type === 'Kafka' ? '2' : '0' });
      expect(status['Hook Kafka Consumers']).toEqual({ status: 'OK', value: '0' });
      expect(status[`Hooks not served ${type}`]?.status).toBe('WARN');
      expect(status[`Hooks not served ${type}`]?.value).toMatch(new RegExp(`^2: .*${reason}`));
      const warnings = log.lines.filter((line) => line.level === 40 && line.type === type);
      expect(warnings).toHaveLength(1);
    },
  );

  it.each([
    ['an unknown kind', { hook_model_name: 'CarrierPigeon' }],
    ['a uuid that cannot be one', { uuid: 'a/b' }],
    ['a configuration that is none', { config: { method: 'POST' } }],
  ])('refuses %s and keeps nothing of the whole body', async (_, wrong) => {
    const [good, bad] = [repositoryHook(), { ...repositoryHook(), ...wrong }];

    const answer = await hooks.call('POST', '/task/bulk', {
      [good.uuid]: good,
      [bad.uuid as string]: bad,
    });

    expect(answer).toMatchObject({ status: 400, body: { id: 74 } });
    expect(await hooks.tasks()).toEqual([]);
  });

  it('refuses a body that is no JSON', async () => {
    await hooks.tasks(); // Registered.
    const response = await fetch(`${hooks.url}/task/bulk`, {
      method: 'POST',
      headers: { X_AUTH_HEADER: Buffer.from(context.api.hash()).toString('base64') },
      body: '{bad',
    });

    expect(response.status).toBe(400);
  });

  it('can repeat every route that changes something', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    await post(hooks, hook);
    expect(await hooks.tasks()).toHaveLength(1);
    const body = { [hook.uuid]: hook };
    expect((await hooks.call('DELETE', '/task/bulk', body)).status).toBe(204);
    expect((await hooks.call('DELETE', '/task/bulk', body)).status).toBe(204);
    expect(await hooks.tasks()).toEqual([]);
    expect((await hooks.status())['Hooks not served RepoWebHook']).toBeUndefined();
  });

  it('adds, changes, finds and removes one task', async () => {
    const hook = repositoryHook();

    expect((await hooks.call('POST', '/task', hook)).status).toBe(204);
    const changed = { ...hook, config: repositoryHook({ workflow: 'renamed' }).config };
    expect((await hooks.call('PUT', `/task/${hook.uuid}`, changed)).status).toBe(204);
    expect((await hooks.call('PUT', `/task/${hook.uuid}`)).status).toBe(204);
    expect(await hooks.task(hook.uuid)).toMatchObject({
      uuid: hook.uuid,
      type: 'RepoWebHook',
      stopped: false,
      executions: null,
      nb_executions_total: 0,
      nb_executions_todo: 0,
      config: { workflow: { value: 'renamed' }, webHookURL: expect.anything() },
    });
    expect((await hooks.call('DELETE', `/task/${hook.uuid}`)).status).toBe(204);
    expect((await hooks.call('DELETE', `/task/${hook.uuid}`)).status).toBe(404);
  });

  it.each([
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['GET', '/start'],
    ['GET', '/stop'],
    ['GET', '/execution'],
    ['DELETE', '/execution'],
    ['GET', '/execution/1795343707599718000'],
    ['POST', '/execution/1795343707599718000/stop'],
  ])('%s /task/{uuid}%s answers 404 for an unknown task', async (method, path) => {
    for (const uuid of [NOBODY, 'a'.repeat(64), 'x:y']) {
      const answer = await hooks.call(method, `/task/${uuid}${path}`);
      expect(answer).toMatchObject({ status: 404, body: { id: 38 } });
    }
  });

  it('refuses callers without the hash, and does not know other routes', async () => {
    await post(hooks);
    for (const header of [undefined, 'zzz', Buffer.from('other').toString('base64')]) {
      const response = await fetch(`${hooks.url}/task`, {
        headers: header === undefined ? {} : { X_AUTH_HEADER: header },
      });
      expect([response.status, (await errorOf(response)).id]).toEqual([401, 10]);
    }
    expect((await hooks.call('PATCH', '/task')).status).toBe(404);
    expect((await hooks.call('GET', '/task/')).status).toBe(404);
    expect((await hooks.call('HEAD', '/task')).status).toBe(404);
    expect((await hooks.call('GET', '/nothing')).status).toBe(404);
  });

  it('lists executions newest first, one alone, and counts them', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    await deliver(hook, 3);
    await allDone(hook);

    const executions = await hooks.executions(hook.uuid);
    const timestamps = executions.map(({ timestamp }) => timestamp);

    expect(timestamps).toEqual(timestamps.toSorted((a, b) => b - a));
    expect(timestamps.every((timestamp) => String(timestamp).endsWith('000'))).toBe(true);
    const one = await hooks.call('GET', `/task/${hook.uuid}/execution/${timestamps[1]}`);
    expect(one.body).toEqual(executions[1]);
    expect(executions[0]?.config).toMatchObject({ webHookURL: expect.anything() });
    expect(await hooks.tasks()).toMatchObject([{ nb_executions_total: 3, nb_executions_todo: 0 }]);
    for (const timestamp of ['1', '1795343707599718001', 'x', `${timestamps[0]}0`]) {
      const missing = await hooks.call('GET', `/task/${hook.uuid}/execution/${timestamp}`);
      expect(missing.status).toBe(404);
    }
  });

  it('sorts by counts', async () => {
    const [none, some, more] = [repositoryHook(), repositoryHook(), repositoryHook()];
    await post(hooks, none, some, more);
    await hooks.call('GET', `/task/${more.uuid}/stop`);
    await deliver(some, 1);
    await deliver(more, 2);
    await allDone(some);
    const sorted = async (sort: string) => {
      const { body } = await hooks.call('GET', `/task?sort=${sort}`);
      return (body as Task[]).map(({ uuid }) => uuid);
    };

    expect(await sorted('nb_executions_total')).toEqual([none.uuid, some.uuid, more.uuid]);
    expect(await sorted('nb_executions_total:desc')).toEqual([more.uuid, some.uuid, none.uuid]);
    expect(await sorted('nb_executions_todo:desc,nb_executions_total:asc')).toEqual([
      more.uuid,
      none.uuid,
      some.uuid,
    ]);
    for (const wrong of ['bad', 'nb_executions_total:up', 'nb_executions_total,bad']) {
      const answer = await hooks.call('GET', `/task?sort=${wrong}`);
      expect(answer).toMatchObject({ status: 400, body: { id: 74 } });
    }
    expect((await hooks.call('GET', '/task?sort=bad')).body).toMatchObject({
      message: 'wrong request (from: invalid given sort key)',
    });
  });

  it('stops and starts one task: its deliveries wait in order', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    expect((await hooks.call('GET', `/task/${hook.uuid}/stop`)).status).toBe(204);
    await deliver(hook, 3);
    const other = repositoryHook();
    await post(hooks, other);
    await deliver(other);
    await allDone(other);

    expect(context.api.runs()).toHaveLength(1);
    const status = await hooks.status();
    expect(status['Task Stopped']).toEqual({ status: 'WARN', value: hook.uuid });
    expect(status.Queue).toEqual({ status: 'OK', value: '3' });
    expect(status[`Execs Todo ${hook.uuid}`]?.value).toBe('3');
    await post(hooks, hook); // An update of the workflow does not start what was stopped.
    expect((await hooks.task(hook.uuid)).stopped).toBe(true);

    expect((await hooks.call('GET', `/task/${hook.uuid}/start`)).status).toBe(204);
    await allDone(hook);
    const branches = context.api
      .runs()
      .slice(1)
      .map((run) => run.hook.payload['git.branch']);
    expect(branches).toEqual(['b0', 'b1', 'b2']);
    expect((await hooks.status())['Task Stopped']).toBeUndefined();
  });

  it('stops and starts all tasks', async () => {
    const [a, b] = [repositoryHook(), repositoryHook()];
    await post(hooks, a, b);
    expect((await hooks.call('GET', '/task/bulk/stop')).status).toBe(204);
    await deliver(a);
    await deliver(b);
    expect((await hooks.tasks()).map(({ stopped }) => stopped)).toEqual([true, true]);

    expect((await hooks.call('GET', '/task/bulk/start')).status).toBe(204);

    await waitFor(() => context.api.runs().length === 2);
  });

  it('drops what waits when a hook is deleted, and counts right', async () => {
    const [gone, kept] = [repositoryHook(), repositoryHook()];
    await post(hooks, gone, kept);
    await hooks.call('GET', '/task/bulk/stop');
    await deliver(gone, 4);
    await deliver(kept, 2);

    await hooks.call('DELETE', '/task/bulk', { [gone.uuid]: gone });

    expect((await hooks.status()).Queue?.value).toBe('2');
    await post(hooks, gone);
    expect(await hooks.executions(gone.uuid)).toEqual([]);
    await hooks.call('GET', '/task/bulk/start');
    await waitFor(() => context.api.runs().length === 2);
  });

  it('drops what waits at a plain webhook, too, though nobody looks at it first', async () => {
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { html: 503 } : 'ok');
    const hook = plainHook();
    await post(hooks, hook);
    for (let i = 0; i < 3; i++) await hooks.webhook(hook.uuid, { query: `n=${i}` });

    expect((await hooks.call('DELETE', `/task/${hook.uuid}/execution`)).status).toBe(200);
    expect(await hooks.executions(hook.uuid)).toEqual([]);
    await hooks.webhook(hook.uuid, { query: 'n=4' });
    expect((await hooks.call('DELETE', `/task/${hook.uuid}`)).status).toBe(204);
    expect((await hooks.call('GET', `/task/${hook.uuid}`)).status).toBe(404);
  });

  it('ends an execution that waits, with the marks of CDS, and leaves one that has ended', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await deliver(hook, 3);
    const middle = (await hooks.executions(hook.uuid))[1];
    const path = `/task/${hook.uuid}/execution/${middle?.timestamp}/stop`;

    expect((await hooks.call('POST', path)).status).toBe(204);
    expect((await hooks.call('POST', path)).status).toBe(204);

    const executions = await hooks.executions(hook.uuid);
    expect(executions[1]).toMatchObject({ status: 'DONE', last_error: 'DONE', nb_errors: 4 });
    expect((await hooks.status()).Queue?.value).toBe('2');
    await hooks.call('GET', `/task/${hook.uuid}/start`);
    await allDone(hook);
    const branches = context.api.runs().map((run) => run.hook.payload['git.branch']);
    expect(branches).toEqual(['b0', 'b2']);
  });

  it('deletes all executions of a task', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    await deliver(hook);
    await allDone(hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await deliver(hook, 2);

    const answer = await hooks.call('DELETE', `/task/${hook.uuid}/execution`);

    expect(answer).toMatchObject({ status: 200, body: { uuid: hook.uuid, type: 'RepoWebHook' } });
    expect(await hooks.executions(hook.uuid)).toEqual([]);
    expect((await hooks.status()).Queue?.value).toBe('0');
  });

  it('keeps executionHistory executions and all that wait', async () => {
    await hooks.service.stop(2_000);
    hooks = await context.start({ executionHistory: 3 });
    const hook = repositoryHook();
    await post(hooks, hook);
    await deliver(hook, 6);
    await allDone(hook);
    await hooks.call('GET', `/task/${hook.uuid}/stop`);
    await deliver(hook, 5);

    const executions = await hooks.executions(hook.uuid);

    expect(executions.map((execution) => execution.processing_timestamp > 0)).toEqual([
      ...Array.from({ length: 5 }, () => false),
      ...Array.from({ length: 3 }, () => true),
    ]);
  });

  it('takes the hooks of the API over at start, and removes those that are gone', async () => {
    const [listed, gone, waiting, recent] = [
      repositoryHook(),
      repositoryHook(),
      repositoryHook(),
      repositoryHook(),
    ];
    await post(hooks, gone, waiting, recent);
    await hooks.call('GET', `/task/${waiting.uuid}/stop`);
    await deliver(waiting);
    const { Redis } = await import('ioredis');
    const admin = new Redis(context.redis.url);
    for (const { uuid } of [gone, waiting]) {
      await admin.hset(`cdsbb:hooks:task:${uuid}`, 'updated_at', String(Date.now() - 3_600_000));
    }
    admin.disconnect();
    context.api.hooks = [listed, { ...repositoryHook(), hook_model_name: 'CarrierPigeon' }];

    hooks = await context.start();

    await waitFor(async () => (await hooks.tasks()).some(({ uuid }) => uuid === listed.uuid));
    await waitFor(async () => !(await hooks.tasks()).some(({ uuid }) => uuid === gone.uuid));
    const uuids = (await hooks.tasks()).map(({ uuid }) => uuid);
    expect(uuids).toEqual([listed.uuid, waiting.uuid, recent.uuid].sort());
  });

  it('looks again at tasks that stayed although the API does not list them', async () => {
    const [recent, waiting] = [repositoryHook(), repositoryHook()];
    await post(hooks, recent, waiting);
    await hooks.call('GET', `/task/${waiting.uuid}/stop`);
    await deliver(waiting);

    hooks = await context.start({}, { timing: { recentMs: 1_000 } });

    await waitFor(async () => !(await hooks.tasks()).some(({ uuid }) => uuid === recent.uuid));
    expect((await hooks.tasks()).map(({ uuid }) => uuid)).toEqual([waiting.uuid]);
    await hooks.call('GET', `/task/${waiting.uuid}/start`);
    await waitFor(async () => (await hooks.tasks()).length === 0);
    expect(context.api.runs()).toHaveLength(1);
  });

  it.each([
    ['delivery', (uuid: string) => hooks.call('DELETE', `/task/${uuid}/execution`)],
    ['hook', (uuid: string) => hooks.call('DELETE', `/task/${uuid}`)],
  ])('lets the next delivery pass when the %s that pauses is deleted', async (_, remove) => {
    await hooks.service.stop(2_000);
    hooks = await context.start({ retryDelaySeconds: 60 });
    const hook = repositoryHook();
    await post(hooks, hook);
    context.api.behave = ({ url }) => (url.endsWith('/runs') ? { refuse: 500 } : 'ok');
    await deliver(hook);
    await waitFor(async () => (await hooks.executions(hook.uuid))[0]?.nb_errors === 1);
    context.api.behave = () => 'ok';

    await remove(hook.uuid);
    await post(hooks, hook);
    await deliver(hook);

    await waitFor(() => context.api.runs().length === 1);
  });

  it('reads the hooks of the API again when Redis lost them', async () => {
    const hook = repositoryHook();
    context.api.hooks = [hook];
    hooks = await context.start();
    await waitFor(async () => (await hooks.tasks()).length === 1);
    // Before it is read again by itself.
    await context.redis.flush();
    await context.redis.kill();
    await context.redis.start();

    await waitFor(async () => (await hooks.tasks().catch(() => [])).length === 1);
  });

  it('accepts webhooks for known tasks while the API is not up yet', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    await hooks.service.stop(2_000);
    await context.api.stop();
    context.api.registrations.length = 0;
    hooks = await context.start();

    await waitFor(async () => deliver(hook).then(() => true)); // Redis is reached in the background.
    expect(context.api.runs()).toEqual([]);
    await context.api.start();

    await waitFor(() => context.api.runs().length === 1);
    expect(context.api.violations).toEqual([]);
  });
});
