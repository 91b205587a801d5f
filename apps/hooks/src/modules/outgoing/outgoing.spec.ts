import { Redis } from 'ioredis';
import { captureLogger, waitFor } from '@cds/testing';
import { UNUSED_MS } from '@cds/hooks-store';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import type { Task } from '@cds/wire';
import type { RunningHooks } from '../../../test/running-hooks';
import { useTestContext } from '../../../test/test-context';
import {
  apiKnows,
  type PostedRun,
  startTarget,
  type Target,
  webhookRun,
  workflowRun,
} from '../../../test/outgoing';

describe('outgoing hooks', () => {
  const context = useTestContext();
  let target: Target;
  let hooks: RunningHooks;

  beforeAll(async () => {
    target = await startTarget();
    context.onEnd(target.stop);
  });
  beforeEach(async () => {
    target.received.length = 0;
    target.answer = (_, response) => void response.end('{"ok":true}');
    hooks = await context.start();
  });

  async function execute(run: PostedRun, on = hooks): Promise<Task> {
    const { status, body } = await on.call('POST', '/task/execute', run);
    expect(status).toBe(200);
    return body as Task;
  }

  const callbacks = () => context.api.callbacks.map(({ callback }) => callback);
  const reported = (count = 1) => waitFor(() => callbacks().length === count);
  const ended = (uuid: string) =>
    waitFor(async () => (await hooks.executions(uuid)).every(({ status }) => status === 'DONE'));

  it('calls a webhook at once, and tells the API', async () => {
    const run = webhookRun(target);
    apiKnows(context, run);

    const task = await execute(run);

    expect(task).toMatchObject({
      uuid: expect.stringMatching(/^[\w-]+$/),
      type: 'OutgoingWebhook',
      stopped: false,
      config: {
        HookRunID: { value: run.uuid },
        HookID: { value: '3' },
        Number: { value: '2' },
        SubNumber: { value: '0' },
      },
      executions: [
        {
          uuid: task.uuid,
          status: 'SCHEDULED',
          processing_timestamp: 0,
          webhook: {
            request_url: `${target.url}/out`,
            request_body: 'eyJhIjoiYiJ9',
            request_header: { 'Content-Type': ['application/json'] },
            request_method: 'POST',
          },
        },
      ],
      nb_executions_total: 0,
      nb_executions_todo: 0,
    });
    await reported();
    expect(target.received).toMatchObject([
      {
        method: 'POST',
        url: '/out',
        body: '{"a":"b"}',
        headers: { 'content-type': 'application/json' },
      },
    ]);
    expect(context.api.callbacks[0]?.url).toBe(
      `/project/PROJ/workflows/wf2/runs/2/hooks/${run.uuid}/callback`,
    );
    const [callback] = callbacks();
    expect(callback).toMatchObject({ workflow_node_outgoing_hook_id: 3, status: 'Success' });
    expect(callback?.log).toMatch(
      /^Request:\nPOST \/out HTTP\/1.1\r\nHost: [^]*\r\n\r\n\{"a":"b"\}\n\nResponse:\nHTTP\/1.1 200 OK\r\n[^]*\{"ok":true\}$/,
    );
    await ended(task.uuid);
    expect(await hooks.executions(task.uuid)).toMatchObject([
      { status: 'DONE', nb_errors: 0, webhook: { request_method: 'POST' } },
    ]);
    expect(await hooks.tasks()).toMatchObject([
      { uuid: task.uuid, type: 'OutgoingWebhook', nb_executions_total: 1, nb_executions_todo: 0 },
    ]);
    const status = await hooks.status();
    expect(status['Outgoing Hooks']).toEqual({ status: 'OK', value: '1' });
    expect(status.Queue?.value).toBe('0');
    expect(await (await fetch(`${hooks.url}/mon/metrics`)).text()).toContain(
      'cds_hooks_outgoing_calls_total{kind="webhook",result="success"} 1',
    );
  });

  it('fills the variables of the run into method, URL and body', async () => {
    const run = webhookRun(target, {
      method: '{{.verb}}',
      URL: `${target.url}/{{.git.branch | escape}}?q={{.git.branch | urlencode}}`,
      payload: '{"x":"{{.git.hash | trunc 7}}","y":"{{.nothing}}","t":"{{.cds.proj.token}}"}',
    });
    apiKnows(context, run, {
      parameters: {
        verb: 'put',
        'git.branch': 'feat/a',
        'git.hash': '5ed11a62487ec27693587f60d56e97',
      },
      secrets: { 'cds.proj.token': 's3cr3t' },
    });

    await execute(run);

    await reported();
    expect(target.received).toMatchObject([
      {
        method: 'PUT',
        url: '/feat-a?q=feat%2Fa',
        body: '{"x":"5ed11a6","y":"{{.nothing}}","t":"s3cr3t"}',
      },
    ]);
  });

  it('shows no secret: not to the API, not in Redis, not in a log', async () => {
    const log = captureLogger();
    hooks = await context.start({}, { logger: log.logger });
    const secret = 'pa55"wörd"/+';
    const forms = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(`u:${secret}`).toString('base64'),
    ];
    const run = webhookRun(target, {
      URL: `${target.url.replace('//', '//u:{{.cds.proj.pw | urlencode}}@')}/?p={{.cds.proj.pw | urlencode}}`,
      payload: '{{.cds.proj.pw | toJSON}} {{.cds.proj.pw | b64enc}}',
    });
    apiKnows(context, run, { secrets: { 'cds.proj.pw': secret } });
    target.answer = ({ headers, body }, response) => {
      response.statusCode = 500;
      response.end(`${headers.authorization} ${body} ${secret}`);
    };

    const { uuid } = await execute(run);
    await reported();
    await ended(uuid);

    const admin = new Redis(context.redis.url);
    const stored = JSON.stringify([
      await admin.hgetall(hookKeys(uuid).executions),
      await admin.hgetall(hookKeys(uuid).states),
    ]);
    admin.disconnect();
    const shown = [
      callbacks()[0]?.log ?? '',
      stored,
      JSON.stringify(log.lines),
      JSON.stringify(await hooks.executions(uuid)),
    ];
    for (const form of forms) {
      for (const text of shown) expect(text).not.toContain(form);
    }
    expect(callbacks()[0]?.log).toContain('**cds.proj.pw**');
    expect(callbacks()[0]?.log).toMatch(/^HTTP Status 500\n\nRequest:\n/);
    expect(target.received).toHaveLength(3);
    expect(target.received[0]?.headers.authorization).toBe(`Basic ${forms[2]}`);
  });

  it('calls once for a run that is sent again, on any replica', async () => {
    const other = await context.start();
    const run = webhookRun(target);
    apiKnows(context, run);

    const tasks = await Promise.all([execute(run), execute(run, other), execute(run)]);
    await reported();
    await ended(tasks[0].uuid);
    tasks.push(await execute(run, other));

    expect(new Set(tasks.map(({ uuid }) => uuid)).size).toBe(1);
    expect(new Set(tasks.map(({ executions }) => executions?.[0]?.timestamp)).size).toBe(1);
    expect(target.received).toHaveLength(1);
    expect(await hooks.executions(tasks[0].uuid)).toHaveLength(1);
    const next = { ...webhookRun(target), num: 3 };
    apiKnows(context, next);
    expect((await execute(next)).uuid).toBe(tasks[0].uuid);
    await reported(2);
  });

  it('tries three times in all, then says that it failed, and why', async () => {
    const run = webhookRun(target);
    apiKnows(context, run);
    target.answer = (_, response) => {
      response.statusCode = 503;
      response.end('not now');
    };

    const { uuid } = await execute(run);

    await reported();
    expect(target.received).toHaveLength(3);
    expect(callbacks()).toMatchObject([{ status: 'Fail', workflow_run_number: null }]);
    expect(callbacks()[0]?.log).toMatch(/^HTTP Status 503\n[^]*not now$/);
    await ended(uuid);
    expect(await hooks.executions(uuid)).toMatchObject([
      { status: 'DONE', nb_errors: 3, last_error: 'HTTP Status 503' },
    ]);
    expect((await hooks.status())['Executions Failed']?.value).toBe('0');
  });

  it('goes on with a later try, and then with success', async () => {
    const run = webhookRun(target);
    apiKnows(context, run);
    target.answer = (_, response) => {
      response.statusCode = target.received.length < 2 ? 500 : 200;
      response.end();
    };

    await execute(run);

    await reported();
    expect(callbacks()).toMatchObject([{ status: 'Success' }]);
    expect(target.received).toHaveLength(2);
  });

  it('lets other runs of the hook pass one that pauses', async () => {
    await hooks.service.stop(2_000);
    hooks = await context.start({ retryDelaySeconds: 30 });
    const failing = webhookRun(target, { URL: `${target.url}/{{.path}}` });
    const next = { ...webhookRun(target, { URL: `${target.url}/{{.path}}` }), num: 3 };
    apiKnows(context, failing, { parameters: { path: 'bad' } });
    apiKnows(context, next, { parameters: { path: 'good' } });
    target.answer = ({ url }, response) => {
      response.statusCode = url === '/bad' ? 500 : 200;
      response.end();
    };

    const { uuid } = await execute(failing);
    await waitFor(async () => (await hooks.executions(uuid))[0]?.nb_errors === 1);
    expect((await execute(next)).uuid).toBe(uuid);

    await reported();
    expect(context.api.callbacks[0]?.url).toContain(next.uuid);
    await waitFor(async () => (await hooks.executions(uuid))[0]?.status === 'DONE');
    expect(await hooks.executions(uuid)).toMatchObject([
      { status: 'DONE', nb_errors: 0 },
      { processing_timestamp: 0, nb_errors: 1, last_error: 'HTTP Status 500' },
    ]);
  });

  it('lets a run that comes in during the call of another pass what pauses, too', async () => {
    await hooks.service.stop(2_000);
    hooks = await context.start({ retryDelaySeconds: 600 });
    const runs = [1, 2, 3].map((num) => {
      const run = webhookRun(target, { URL: `${target.url}/{{.path}}` }, { num });
      apiKnows(context, run, { parameters: { path: String(num) } });
      return run;
    });
    const [first, second, third] = runs as [PostedRun, PostedRun, PostedRun];
    let refuseSecond: (() => void) | undefined;
    target.answer = ({ url }, response) => {
      const refuse = (): void => void response.writeHead(500).end();
      if (url === '/1') refuse();
      else if (url === '/2') refuseSecond = refuse;
      else response.end();
    };

    const { uuid } = await execute(first);
    await waitFor(async () => (await hooks.executions(uuid))[0]?.nb_errors === 1);
    await execute(second);
    await waitFor(() => refuseSecond !== undefined);
    // The first one pauses and will be the head again when the second one pauses, too.
    await execute(third);
    refuseSecond?.();

    await reported();
    expect(context.api.callbacks[0]?.url).toContain(third.uuid);
    expect(target.received.map(({ url }) => url)).toEqual(['/1', '/2', '/3']);
  });

  it.each([
    [
      'a target that is refused',
      { URL: 'http://169.254.169.254/latest' },
      'the target is refused: 169.254.169.254 is a linkLocal address',
    ],
    ['a URL that is none', { URL: 'not a URL' }, 'the hook URL is invalid'],
    ['a method that is none', { method: 'G T' }, 'the method of the hook'],
    ['a template that cannot be read', { payload: '{{.a' }, '}} is missing'],
    ['a result that is too large', { payload: '{{"x" | repeat 9999999}}' }, 'more than 1048577'],
  ])('does not try %s again, and says why', async (_, config, message) => {
    const run = webhookRun(target, config);
    apiKnows(context, run);

    await execute(run);

    await reported();
    expect(callbacks()).toMatchObject([{ status: 'Fail', log: expect.stringContaining(message) }]);
    expect(target.received).toEqual([]);
  });

  it('does nothing for a run that is over', async () => {
    const run = webhookRun(target);
    apiKnows(context, run, { status: 'Stopped' });

    const { uuid } = await execute(run);

    await ended(uuid);
    expect(await hooks.executions(uuid)).toMatchObject([
      { last_error: expect.stringContaining('"Stopped"'), nb_errors: 0 },
    ]);
    expect([target.received, callbacks()]).toEqual([[], []]);
  });

  it('starts the run of a workflow with its parent, and tells its number', async () => {
    const run = workflowRun({ payload: '{"git.branch":"{{.git.branch}}","N":{"A":[1]}}' });
    apiKnows(context, run, { parameters: { 'git.branch': 'master' } });

    const { uuid, executions } = await execute(run);

    expect(executions?.[0]?.webhook).toBeUndefined();
    await reported();
    expect(context.api.runs()).toMatchObject([
      {
        project: 'PROJ',
        workflow: 'wft',
        hook: {
          uuid: '07b22be8-8819-4246-b7cd-61399ac53734',
          payload: {
            'git.branch': 'master',
            'n.a.a0': '1',
            payload: '{"git.branch":"master","N":{"A":[1]}}',
          },
          parent_workflow: { key: 'PROJ', name: 'wf2', run: 2, HookRunID: run.uuid },
        },
      },
    ]);
    expect(callbacks()).toMatchObject([
      {
        status: 'Building',
        done: '0001-01-01T00:00:00Z',
        workflow_run_number: 1,
        log: 'Workflow PROJ/wft #1.0 has been started',
      },
    ]);
    await ended(uuid);
    expect(await hooks.executions(uuid)).toMatchObject([{ workflow_run: 1 }]);
  });

  it('says that the run of a workflow cannot be started', async () => {
    const run = workflowRun({ payload: '{}' });
    apiKnows(context, run);
    context.api.behave = ({ url }) =>
      url.endsWith('/wft/runs') ? { refuse: 404, id: 38, message: 'no such workflow' } : 'ok';

    await execute(run);

    await reported();
    expect(callbacks()).toMatchObject([
      { status: 'Fail', log: expect.stringContaining('no such workflow') },
    ]);
  });

  it('sends the callback until the API has it, over restarts, and calls once', async () => {
    const run = webhookRun(target);
    apiKnows(context, run);
    context.api.behave = ({ url }) => (url.endsWith('/callback') ? { html: 502 } : 'ok');
    const { uuid } = await execute(run);
    await waitFor(() => target.received.length === 1);
    await waitFor(async () => (await hooks.executions(uuid))[0]?.last_error !== undefined);
    await hooks.service.stop(2_000);
    hooks = await context.start();
    context.api.behave = () => 'ok';

    await reported();

    await ended(uuid);
    expect(target.received).toHaveLength(1);
  });

  it('keeps what the API refuses as a dead letter, and sends that alone again', async () => {
    const run = webhookRun(target);
    apiKnows(context, run);
    context.api.behave = ({ url }) => (url.endsWith('/callback') ? { refuse: 500 } : 'ok');
    const { uuid } = await execute(run);
    await waitFor(async () => (await hooks.status())['Executions Failed']?.value === '1');
    expect(await hooks.executions(uuid)).toMatchObject([
      { nb_errors: 3, last_error: expect.stringContaining('did not take the result') },
    ]);
    context.api.behave = () => 'ok';

    const retried = await hooks.call('POST', '/admin/dead-letters/retry', { task: uuid });

    expect(retried.status).toBe(200);
    await reported();
    expect(callbacks()).toMatchObject([{ status: 'Success' }]);
    expect(target.received).toHaveLength(1);
  });

  it('waits while its task is stopped, and is forgotten with it', async () => {
    const first = webhookRun(target);
    apiKnows(context, first);
    const { uuid } = await execute(first);
    await reported();
    expect((await hooks.call('GET', `/task/${uuid}/stop`)).status).toBe(204);
    const second = { ...webhookRun(target), num: 3 };
    apiKnows(context, second);
    expect((await execute(second)).stopped).toBe(true);
    expect((await hooks.status())['Task Stopped']?.value).toBe(uuid);
    expect(target.received).toHaveLength(1);

    expect((await hooks.call('GET', `/task/${uuid}/start`)).status).toBe(204);
    await reported(2);
    expect((await hooks.call('DELETE', `/task/${uuid}`)).status).toBe(204);
    expect(await hooks.tasks()).toEqual([]);
  });

  it('keeps no more than executionHistory of a hook, and no hook that no run comes to', async () => {
    await hooks.service.stop(2_000);
    hooks = await context.start({ executionHistory: 2 });
    const old = webhookRun(target, { payload: 'old' });
    apiKnows(context, old);
    const { uuid: unused } = await execute(old);
    await reported();
    await ended(unused);
    const admin = new Redis(context.redis.url);
    const before = String(Date.now() - UNUSED_MS - 1_000);
    await admin.hset(hookKeys(unused).task, 'updated_at', before);
    await admin.zadd(KEYS.outgoing, before, unused);

    let uuid = '';
    for (let num = 3; num < 7; num++) {
      const run = { ...webhookRun(target), num };
      apiKnows(context, run);
      uuid = (await execute(run)).uuid;
    }

    await reported(5);
    await ended(uuid);
    expect(await hooks.executions(uuid)).toHaveLength(2);
    await waitFor(async () => (await hooks.tasks()).map((task) => task.uuid).join() === uuid);
    expect(await admin.keys(`*${unused}*`)).toEqual([]);
    admin.disconnect();
  });

  it('is not removed because the API does not list it', async () => {
    const run = webhookRun(target);
    apiKnows(context, run);
    const { uuid } = await execute(run);
    await reported();
    const admin = new Redis(context.redis.url);
    await admin.hset(hookKeys(uuid).task, 'updated_at', '1');
    admin.disconnect();

    const log = captureLogger();
    await context.start({}, { logger: log.logger });
    await waitFor(() => log.lines.some(({ msg }) => String(msg).includes('tasks synchronized')));

    expect((await hooks.tasks()).map((task) => task.uuid)).toEqual([uuid]);
  });

  it.each([
    ['nothing of a run', {}, 'uuid'],
    ['a node that is no hook', { ...workflowRun(), outgoinghook: null }, 'no outgoing hook'],
    ['an unknown model', workflowRun({ model_name: 'Pigeon' }), 'Pigeon'],
    ['a model of a plugin', workflowRun({ model_type: 'plugin' }), 'builtin'],
    ['no target', workflowRun({ target_workflow: '' }), 'lacks target_workflow'],
    ['no URL', webhookRun({ url: '' }, { URL: '' }), 'lacks URL'],
    ['a uuid that cannot be one', { ...workflowRun(), uuid: '../../x' }, 'uuid'],
    ['no number', { ...workflowRun(), num: 0 }, 'num'],
  ])('refuses %s with what is wrong, and keeps nothing', async (_, run, message) => {
    const answer = await hooks.call('POST', '/task/execute', run);

    expect(answer).toMatchObject({ status: 400, body: { id: 74 } });
    expect((answer.body as { message: string }).message).toContain(message);
    expect(await hooks.tasks()).toEqual([]);
  });
});
