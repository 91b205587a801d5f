import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMetrics } from '@cds/service';
import { describeShared, silentLogger, waitFor } from '@cds/testing';
import { routesOfApp, validateOpenApi } from '@cds/testing/openapi';
import type { Express } from 'express';
import { getApp, type AppDeps } from '../src/get-app';
import { nodeHook, plainHook, repositoryHook } from './node-hooks';
import { documentOf, post, type RunningHooks } from './running-hooks';
import { useTestContext } from './test-context';
import { apiKnows, workflowRun } from './outgoing';
import { pushDelivery } from './pushes';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

const context = useTestContext();
let hooks: RunningHooks;
beforeEach(async () => {
  hooks = await context.start({ retryError: 1 });
});

/** The app alone: nothing is called. */
function app(): Express {
  const unused = {} as never;
  return getApp({
    ...({
      logger: silentLogger(),
      trustedProxies: [],
      state: { refusal: () => undefined, isSynchronized: () => true },
      handleWebhook: unused,
    } satisfies Partial<AppDeps>),
    callers: { isAllowed: () => true },
    monitoring: async () => ({ now: '', lines: [] }),
    metrics: createMetrics({ service: 'hooks' }),
    readiness: unused,
    taskService: unused,
    adminService: unused,
    executeOutgoing: unused,
  });
}

/** As the API calls: again where Redis was too slow for an answer, as on a busy machine. */
async function call(method: string, path: string, body?: unknown) {
  const answer = async () => {
    const found = await hooks.call(method, path, body);
    return found.status === 503 ? undefined : found;
  };
  return waitFor(answer, { what: `an answer to ${method} ${path}` });
}

/** As anybody calls, without X_AUTH_HEADER. */
async function open(method: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(hooks.url + path, { method });
  const text = await response.text();
  const contentType = response.headers.get('content-type');
  const document = await documentOf(hooks.url);
  document.answer({ method, path, status: response.status, contentType, text });
  return { status: response.status, text };
}

/** A delivery whose run the API refused for good. */
async function deadLetter(): Promise<string> {
  const hook = plainHook();
  await post(hooks, hook);
  context.api.behave = ({ url }) => (url.endsWith('/runs') ? { refuse: 400 } : 'ok');
  await hooks.webhook(hook.uuid, { body: '{}' });
  const listed = async () =>
    (
      (await hooks.call('GET', '/admin/dead-letters')).body as { uuid: string; timestamp: number }[]
    ).find(({ uuid }) => uuid === hook.uuid);
  const letter = await waitFor(listed, { what: 'a dead letter' });
  return `${hook.uuid}/${letter.timestamp}`;
}

describe('/openapi.json of hooks', () => {
  it('is right by the specification, and open to everybody', async () => {
    const { status, text } = await open('GET', '/openapi.json');
    expect(status).toBe(200);
    const document = JSON.parse(text);
    validateOpenApi(document);
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'hooks' } });
    expect(await open('OPTIONS', '/openapi.json')).toMatchObject({ status: 404 });
    expect(await open('POST', '/openapi.json')).toMatchObject({ status: 404 });
  });

  it('tells of every route that Express has, and of no other', async () => {
    const { text } = await open('GET', '/openapi.json');
    const { paths } = JSON.parse(text) as { paths: Record<string, object> };
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      path === '/webhook/{uuid}'
        ? [`ALL ${path}`]
        : Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const registered = routesOfApp(app()).map((route) => route.replace(/:(\w+)/g, '{$1}'));
    expect(described.toSorted()).toEqual(registered.toSorted());
  });

  it('is what the service answers, to every route', async () => {
    const document = await documentOf(hooks.url);
    document.seen.clear();
    const hook = repositoryHook();
    const plain = plainHook();

    for (const path of [
      '/openapi.json',
      '/mon/status',
      '/mon/version',
      '/mon/ready',
      '/mon/metrics',
    ])
      await open('GET', path);
    hooks.service.drain();
    expect((await open('GET', '/mon/ready')).status).toBe(503);

    await post(hooks, hook, plain);
    await call('POST', '/task', nodeHook('Scheduler', { cron: '0 0 1 1 *' }));
    await call('GET', '/task?sort=nb_executions_todo:desc');
    await call('GET', '/task?sort=nope');
    for (const what of ['', '/start', '/stop', '/execution']) {
      await call('GET', `/task/${hook.uuid}${what}`);
      await call('GET', `/task/${UNKNOWN}${what}`);
    }
    await call('PUT', `/task/${hook.uuid}`, hook);
    await call('PUT', `/task/${hook.uuid}`);
    await call('PUT', `/task/${hook.uuid}`, { nonsense: true });
    await call('PUT', `/task/${UNKNOWN}`);
    for (const what of ['start', 'stop', 'start']) await call('GET', `/task/bulk/${what}`);
    await call('POST', '/task/execute', {});
    const run = workflowRun();
    apiKnows(context, run);
    await call('POST', '/task/execute', run);

    await hooks.webhook(hook.uuid, pushDelivery({ deleted: 'gone' }));
    const cleanup = await waitFor(
      async () => (await hooks.tasks()).find(({ type }) => type === 'BranchDeletion'),
      { what: 'a cleanup' },
    );
    await call('POST', `/admin/task/${cleanup.uuid}/due`);
    await call('POST', `/admin/task/${'0'.repeat(64)}/due`);

    const methods = ['POST', 'GET', 'PUT', 'DELETE'];
    for (const [index, method] of methods.entries()) {
      const taker = plainHook({ method });
      await post(hooks, taker);
      const body = method === 'GET' ? undefined : '{}';
      expect((await hooks.webhook(taker.uuid, { method, body })).status).toBe(200);
      const other = methods.at(index - 1);
      await hooks.webhook(taker.uuid, { method: other, body: other === 'GET' ? undefined : '{}' });
      await hooks.webhook(UNKNOWN, { method, body });
    }
    await hooks.webhook(hook.uuid, { headers: { 'X-Hub-Signature': 'sha256=0' }, body: '{}' });
    await hooks.webhook(hook.uuid, { body: 'nonsense' });
    await hooks.webhook(hook.uuid, { method: 'PATCH', body: '{}' });

    const [dead, other] = [await deadLetter(), await deadLetter()];
    const executionOf = (letter: string) => `/task/${letter.replace('/', '/execution/')}`;
    const gone = `${UNKNOWN}/1700000000000000000`;
    for (const letter of [dead, gone]) {
      await call('GET', executionOf(letter));
      await call('POST', `${executionOf(letter)}/stop`);
      await call('POST', `/admin${executionOf(letter)}/replay`);
    }
    await call('GET', '/admin/dead-letters?limit=0');
    await call('POST', `/admin/dead-letters/${other}/retry`);
    await call('POST', `/admin/dead-letters/${gone}/retry`);
    await call('DELETE', `/admin/dead-letters/${dead}`);
    await call('DELETE', `/admin/dead-letters/${gone}`);
    await call('POST', '/admin/dead-letters/retry');
    await call('DELETE', '/admin/dead-letters');
    for (const enable of [true, false]) await call('POST', `/admin/maintenance?enable=${enable}`);
    for (const uuid of [hook.uuid, UNKNOWN]) {
      await call('DELETE', `/admin/task/${uuid}/signature`);
      await call('DELETE', `/task/${uuid}/execution`);
      await call('DELETE', `/task/${uuid}`);
    }
    await call('DELETE', '/task/bulk', { [plain.uuid]: {} });
    await call('DELETE', '/task/bulk', 'nonsense');

    const guarded = document.documented().filter((answer) => /^\w+ \/(task|admin)/.test(answer));
    for (const answer of guarded.filter((one) => one.endsWith(' 401'))) {
      const [method = '', path = ''] = answer.split(' ');
      await open(method, path.replace(/\{\w+\}/g, '1'));
    }

    const due = document.documented().filter((answer) => {
      if (/ (200|204|404|405)$/.test(answer)) return true;
      return guarded.includes(answer) && answer.endsWith(' 401');
    });
    expect(due.filter((answer) => !document.seen.has(answer))).toEqual([]);
    expect([...document.seen]).toEqual(
      expect.arrayContaining([
        'PUT /task/{uuid} 400',
        'GET /task 400',
        'GET /admin/dead-letters 400',
        'POST /webhook/{uuid} 400',
        'POST /webhook/{uuid} 401',
        'POST /task/execute 400',
      ]),
    );
  });
});

describeShared('the recorded requests to hooks', (root) => {
  interface Exchange {
    request: { method: string; url: string; body: unknown };
    response: { status: number };
  }
  it('are requests of the document wherever they were taken', async () => {
    const document = await documentOf(hooks.url);
    const file = join(root, 'contract', 'api-to-hooks.json');
    const exchanges = JSON.parse(readFileSync(file, 'utf8')) as Exchange[];
    const problems = exchanges
      .filter(({ response }) => response.status < 300)
      .map(({ request: { method, url, body } }) => document.requestProblem(method, url, body));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
    expect(problems.length).toBeGreaterThan(10);
  });
});
