import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { hookKeys, KEYS } from '@cds/hooks-store/keys';
import { describeShared, waitFor } from '@cds/testing';
import type { HookConfig, NodeHook, OutgoingCallback, Task, TaskExecution } from '@cds/wire';
import { nodeHook } from './node-hooks';
import { post, type RunningHooks } from './running-hooks';
import { useTestContext } from './test-context';
import { startTarget } from './outgoing';

interface Exchange {
  from: string;
  request: { method: string; url: string; headers: Record<string, string>; body: unknown };
  response: { status: number; body: unknown };
}

interface Answer {
  status: number;
  body: unknown;
  contentType: string;
}

/** New with every answer; named by the contract. */
const VOLATILE = new Set([
  'uuid of an error',
  'now',
  'timestamp',
  'processing_timestamp',
  'date_scheduled_execution',
]);

/**
 * Where the recording is wrong, by the number of the exchange: what is expected in its place.
 */
const EXCEPTIONS: Record<number, { why: string; status: number; id?: number }> = {
  15: { why: 'exception 7: an unknown task is a 404', status: 404, id: 38 },
  18: { why: 'exception 7: an unknown task is a 404', status: 404, id: 38 },
  20: { why: 'exception 16: a malformed X_AUTH_HEADER is a 401', status: 401, id: 10 },
};

function readJsonFile<T>(root: string, ...path: string[]): T {
  return JSON.parse(readFileSync(join(root, 'contract', ...path), 'utf8')) as T;
}

/** What is recorded, without what is volatile; fields that we add are left out of ours. */
function comparable(recorded: unknown, ours: unknown): unknown {
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    return ours.map((item, index) => comparable(recorded[index], item));
  }
  if (typeof recorded !== 'object' || recorded === null) return ours;
  if (typeof ours !== 'object' || ours === null) return ours;
  return Object.fromEntries(
    Object.entries(ours)
      .filter(([key]) => key in recorded && !VOLATILE.has(key))
      .map(([key, value]) => [key, comparable((recorded as Record<string, unknown>)[key], value)]),
  );
}

function withoutVolatile(recorded: unknown): unknown {
  return comparable(recorded, recorded);
}

const MODELS: Record<string, string> = {
  RepoWebHook: 'RepositoryWebHook',
  Webhook: 'WebHook',
  Scheduler: 'Scheduler',
};

describeShared('the recorded contract', (root) => {
  const context = useTestContext();
  let hooks: RunningHooks;

  beforeEach(async () => {
    hooks = await context.start();
  });

  /** Sends exactly these headers, besides Host. */
  function send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | Buffer,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(hooks.url + path, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            body: text === '' ? null : JSON.parse(text),
            contentType: response.headers['content-type'] ?? '',
          });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  async function replay(exchange: Exchange): Promise<Answer> {
    const { method, url, headers, body } = exchange.request;
    await hooks.tasks(); // Registered.
    const sent = { ...headers };
    delete sent['content-length'];
    delete sent['transfer-encoding'];
    if (sent.x_auth_header !== undefined && sent.x_auth_header !== 'zzz') {
      sent.x_auth_header = Buffer.from(context.api.hash()).toString('base64');
    }
    const text = body === null ? '' : JSON.stringify(body);
    return send(method, url, { ...sent, 'content-length': String(Buffer.byteLength(text)) }, text);
  }

  function hookOf(task: Pick<Task, 'uuid' | 'type' | 'config'>): NodeHook {
    const config: HookConfig = { ...task.config };
    delete config.webHookURL;
    return { ...nodeHook(MODELS[task.type] ?? task.type, {}), uuid: task.uuid, config };
  }

  /** Lets the time of a scheduler come, and waits for its run. */
  async function comeDue(uuid: string): Promise<void> {
    const runs = context.api.runs().length;
    await context.redisClient.zadd(KEYS.due, Math.floor(Date.now() / 60_000) * 60_000, uuid);
    await waitFor(() => context.api.runs().length > runs);
    await waitFor(async () => (await context.redisClient.zcard(hookKeys(uuid).done)) > 0);
  }

  async function allDone(uuid: string): Promise<void> {
    await waitFor(async () =>
      (await hooks.executions(uuid)).every(({ status }) => status === 'DONE'),
    );
  }

  /** Brings about the state in which the exchange was recorded. */
  async function prepare(exchange: Exchange): Promise<void> {
    const { url } = exchange.request;
    const { body } = exchange.response;
    const webhook = /^\/webhook\//.test(url);
    const tasks = (Array.isArray(body) ? body : [body]).filter(
      (task): task is Task => typeof task?.type === 'string' && task.type !== 'OutgoingWebhook',
    );
    if (tasks.some(({ type }) => type === 'Scheduler')) {
      // The recorded one runs every minute: its next one does not begin meanwhile.
      await waitFor(() => Date.now() % 60_000 < 48_000);
    }
    for (const task of tasks) {
      await post(hooks, hookOf(task));
      const executions = (task.executions ?? []).toReversed();
      for (const execution of webhook ? [] : executions) await deliver(execution);
      if (task.type === 'Scheduler') {
        const past = task.nb_executions_total - task.nb_executions_todo;
        for (let i = 0; i < past; i++) await comeDue(task.uuid);
        continue;
      }
      for (let i = 0; i < (Array.isArray(body) ? task.nb_executions_total : 0); i++) {
        await deliver(await sample(task));
      }
      await allDone(task.uuid);
    }
    for (const action of ['start', 'stop']) {
      const [, uuid] = new RegExp(`^/task/([0-9a-f-]{36})/${action}$`).exec(url) ?? [];
      if (uuid) await post(hooks, { ...nodeHook('WebHook', {}), uuid });
    }
  }

  /** Some execution for the task: its content does not matter, since listings do not show it. */
  async function sample(task: Task): Promise<TaskExecution> {
    const body = readJsonFile<Exchange[]>(root, 'api-to-hooks.json')[9]?.response.body;
    const [recorded] = ((body as Task | undefined)?.executions ?? []) as TaskExecution[];
    if (!recorded) throw new Error('the recording has no execution');
    return { ...recorded, uuid: task.uuid, type: task.type, config: task.config };
  }

  async function deliver(execution: TaskExecution): Promise<void> {
    const { uuid, type, config, webhook } = execution;
    await post(hooks, hookOf({ uuid, type, config }));
    const headers = Object.fromEntries(
      Object.entries(webhook?.request_header ?? {}).map(([name, values]) => [
        name,
        values.join(', '),
      ]),
    );
    const body = Buffer.from(webhook?.request_body ?? '', 'base64');
    const answer = await send('POST', `/webhook/${uuid}`, headers, body);
    expect(answer.status).toBe(200);
    await allDone(uuid);
  }

  const exchanges = readJsonFile<Exchange[]>(root, 'api-to-hooks.json');
  it.each(
    exchanges.map(
      (exchange, index) =>
        [index, exchange.request.method, exchange.request.url, exchange] as const,
    ),
  )('exchange %i: %s %s', async (index, _method, url, exchange) => {
    await prepare(exchange);

    const answer = await replay(exchange);

    expect(answer.contentType).toMatch(/^application\/json/);
    const exception = EXCEPTIONS[index];
    if (exception) {
      expect(answer).toMatchObject({ status: exception.status, body: { id: exception.id } });
      return;
    }
    expect(answer.status).toBe(exchange.response.status);
    const recorded = exchange.response.body;
    if (exchange.response.status >= 400) {
      const { id, message, data } = recorded as Record<string, unknown>;
      expect(answer.body).toMatchObject({ id, message, data });
    } else if (url.startsWith('/webhook/')) {
      // Exception 10: uuid, type and timestamp are all that an unauthenticated caller learns.
      const { uuid, type } = recorded as TaskExecution;
      expect(answer.body).toEqual({ uuid, type, timestamp: expect.any(Number) });
    } else if (url === '/task/execute') {
      // The uuid of a task is any text that stays the same: CDS hashes with a library of Go.
      const { uuid } = answer.body as Task;
      expect(uuid).toMatch(/^[\w-]{1,128}$/);
      const same = JSON.stringify(answer.body).replaceAll(uuid, (recorded as Task).uuid);
      expect(comparable(recorded, JSON.parse(same))).toEqual(withoutVolatile(recorded));
    } else if (Array.isArray(recorded)) {
      expect(sorted(comparableTasks(recorded as Task[], answer.body as Task[]))).toEqual(
        sorted(expectedTasks(recorded as Task[])),
      );
    } else {
      expect(comparable(recorded, answer.body)).toEqual(withoutVolatile(recorded));
    }
  });

  /** Outgoing hooks have their executions from another route. */
  function expectedTasks(recorded: Task[]): Task[] {
    return recorded.filter(({ type }) => (type as string) !== 'OutgoingWebhook');
  }

  function comparableTasks(recorded: Task[], ours: Task[]): Task[] {
    return ours
      .filter(({ type }) => type !== 'BranchDeletion') // The deliveries of the sample delete a branch.
      .map((task) => {
        const same = recorded.find(({ uuid }) => uuid === task.uuid);
        return comparable(same ?? task, task) as Task;
      });
  }

  function sorted(tasks: Task[]): Task[] {
    return tasks.toSorted((a, b) => a.uuid.localeCompare(b.uuid));
  }

  it('the runs that a scheduler asks for', async () => {
    const recorded = readJsonFile<Exchange[]>(root, 'services-to-api.json')
      .map(({ request }) => request)
      .filter(({ body }) => JSON.stringify(body)?.includes('"cds.scheduler"'));
    const bulk = exchanges[2]?.request.body as Record<string, NodeHook>;
    const uuid = '3889b1ed-cfb2-44c2-942b-b627df167a1c';
    await post(hooks, bulk[uuid] as NodeHook);

    for (const { method, url, body } of recorded) {
      await comeDue(uuid);
      expect(context.api.calls.at(-1)).toMatchObject({ method, url, body });
    }
    expect(recorded.length).toBeGreaterThan(1);
    expect(context.api.violations).toEqual([]);
  });

  interface ExpectedPush {
    file: string;
    event_key: string;
    workflow_runs: { url: string; hook: { payload: Record<string, string>; uuid: string } }[];
    scheduled_branch_deletions: string[];
  }

  it.each(
    readJsonFile<ExpectedPush[]>(root, 'webhooks', 'push-expected.json').map(
      (expected) => [expected.file, expected] as const,
    ),
  )('delivery %s', async (file, expected) => {
    const raw = readFileSync(join(root, 'contract', 'webhooks', file));
    const body = JSON.parse(raw.toString()) as { push: unknown; actor: Record<string, string> };
    const uuid = '10000000-0000-4000-8000-000000000001';
    const config = { method: 'POST', project: 'PROJ', workflow: 'wf', workflow_id: '1' };
    await post(hooks, { ...nodeHook('RepositoryWebHook', config), uuid });

    const answer = await send(
      'POST',
      `/webhook/${uuid}`,
      {
        'Content-Type': 'application/json',
        'X-Event-Key': expected.event_key,
        'Content-Length': String(raw.length),
      },
      raw,
    );
    expect(answer.status).toBe(200);
    await allDone(uuid);

    const runs = context.api.calls
      .filter(({ method, url }) => method === 'POST' && url.endsWith('/runs'))
      .map(({ url, body: run }) => {
        const { hook } = run as { hook: { payload: Record<string, string> } };
        const { payload, ...others } = hook.payload;
        return {
          url,
          hook: { ...hook, payload: { ...others, payload: JSON.parse(payload ?? '') } },
        };
      });
    expect(runs).toEqual(
      expected.workflow_runs.map(({ url, hook }) => ({
        url,
        hook: {
          ...hook,
          payload: {
            ...hook.payload,
            payload: body.push,
            // Exception 19.
            'cds.triggered_by.username':
              hook.payload['cds.triggered_by.username'] || body.actor.nickname,
          },
        },
      })),
    );
    const cleanups = (await hooks.tasks()).filter(({ type }) => type === 'BranchDeletion');
    expect(cleanups.map(({ config: of }) => of?.branch?.value)).toEqual(
      expected.scheduled_branch_deletions,
    );
    expect(context.api.violations).toEqual([]);
  });

  const asked = readJsonFile<Exchange[]>(root, 'services-to-api.json');
  const isOf = (uuid: string, part: string) => (exchange: Exchange) =>
    exchange.request.url.endsWith(`/hooks/${uuid}/${part}`);
  interface RecordedRun {
    uuid: string;
    num: number;
    outgoinghook: { config: HookConfig };
  }

  /** What the API answers about a run, as recorded of some run of the workflow. */
  function apiAnswers(workflow: string, run: RecordedRun): void {
    const path = `/project/PROJ/workflows/${workflow}/runs`;
    const seen = asked.find(
      ({ request }) => request.method === 'GET' && request.url.startsWith(`${path}/`),
    );
    const body = structuredClone(seen?.response.body) as { nodes: Record<string, RecordedRun[]> };
    const node = Object.values(body.nodes)
      .flat()
      .find((each) => each.outgoinghook);
    if (!node) throw new Error(`no run of ${workflow} with an outgoing hook is recorded`);
    Object.assign(node, { uuid: run.uuid, num: run.num });
    context.api.recorded.set(`${path}/${run.num}`, body);
    const hooksOfRun = new Map([[run.uuid, { parameters: [], secrets: [] }]]);
    context.api.hookRuns.set(`${path}/${run.num}`, { status: 'Building', hooks: hooksOfRun });
    const details = asked.find(({ request }) => request.url.endsWith('/details'))?.response.body;
    context.api.recorded.set(`${path}/${run.num}/hooks/${run.uuid}/details`, details);
  }

  /** What `hooks` asked the API to do, in the words of the recording. */
  async function told(): Promise<Exchange['request'][]> {
    await waitFor(() => context.api.callbacks.length > 0);
    return context.api.calls
      .filter(({ method }) => method === 'POST')
      .map(({ method, url, body }) => ({ method, url, headers: {}, body }));
  }

  const withCallback = exchanges.flatMap(({ request }, index) => {
    const run = request.body as RecordedRun | null;
    const callback = asked.find(isOf(run?.uuid ?? '-', 'callback'));
    return request.url === '/task/execute' && run && callback ? [{ index, run, callback }] : [];
  });

  it('has recorded callbacks of outgoing webhooks', () => {
    expect(withCallback.length).toBeGreaterThan(1);
  });

  it.each(withCallback)('outgoing webhook of exchange $index', async ({ run, callback }) => {
    const target = await startTarget();
    const posted = structuredClone(run);
    const url = posted.outgoinghook.config.URL;
    if (url) url.value = `${target.url}/out`;
    apiAnswers('wf2', run);
    await hooks.tasks();

    expect((await hooks.call('POST', '/task/execute', posted)).status).toBe(200);

    const [request] = await told();
    target.stop();
    const recorded = callback.request.body as OutgoingCallback;
    expect(request?.url).toBe(callback.request.url);
    expect(request?.body).toEqual({
      ...recorded,
      start: expect.stringMatching(/Z$/),
      done: expect.stringMatching(/Z$/),
      log: expect.any(String),
    });
    // Our own names of the client and of the target, and what each HTTP library adds, are not
    // compared.
    const essence = (log: string) =>
      log
        .split('\n')
        .filter((line) => /^(Request|Response|POST|HTTP|Content-|\{)/.test(line))
        .map((line) => line.trim());
    expect(new Set(essence((request?.body as OutgoingCallback | undefined)?.log ?? ''))).toEqual(
      new Set(essence(recorded.log)),
    );
    expect(context.api.violations).toEqual([]);
  });

  it('outgoing workflow, from the run that is recorded of it', async () => {
    const seen = asked.find(({ request }) => request.url === '/project/PROJ/workflows/wfs/runs/1');
    const { nodes } = (seen?.response.body ?? { nodes: {} }) as {
      nodes: Record<string, RecordedRun[]>;
    };
    const run = Object.values(nodes)
      .flat()
      .find((each) => each.outgoinghook);
    if (!run) throw new Error('no run of an outgoing workflow is recorded');
    apiAnswers('wfs', run);

    expect((await hooks.call('POST', '/task/execute', run)).status).toBe(200);

    const requests = await told();
    const recorded = [
      asked.find(({ request }) => request.url === '/project/PROJ/workflows/wft/runs'),
      asked.find(isOf(run.uuid, 'callback')),
    ].map((exchange) => exchange?.request);
    expect(requests.map(({ url }) => url)).toEqual(recorded.map((request) => request?.url));
    expect(requests[0]?.body).toEqual(recorded[0]?.body);
    expect(requests[1]?.body).toEqual({
      ...(recorded[1]?.body as OutgoingCallback),
      start: expect.stringMatching(/Z$/),
    });
    expect(context.api.violations).toEqual([]);
  });

  interface ExpectedWebhook {
    hook: string;
    uuid: string;
    request: { method: string; query: string; headers: Record<string, string>; body: string };
    status: number;
    payloads: Record<string, string>[];
  }

  it.each(
    readJsonFile<ExpectedWebhook[]>(root, 'webhooks', 'generic-expected.json').map(
      (expected, index) => [index, expected.hook, expected] as const,
    ),
  )('plain webhook %i: %s', async (_, hook, expected) => {
    const [, method = ''] = /method=(\w+)/.exec(hook) ?? [];
    const config = { method, project: 'PROJ', workflow: 'wf', workflow_id: '1' };
    await post(hooks, { ...nodeHook('WebHook', config), uuid: expected.uuid });
    const { request } = expected;

    const query = request.query === '' ? '' : `?${request.query}`;
    const answer = await send(
      request.method,
      `/webhook/${expected.uuid}${query}`,
      { ...request.headers, 'Content-Length': String(Buffer.byteLength(request.body)) },
      request.body,
    );

    // Exception 14: a query that cannot be decoded.
    const isBadQuery = request.query.includes('%zz');
    expect(answer.status).toBe(isBadQuery ? 400 : expected.status);
    if (answer.status !== 200) return;
    await allDone(expected.uuid);
    expect(context.api.runs().map((run) => run.hook.payload)).toEqual(expected.payloads);
    expect(context.api.violations).toEqual([]);
  });
});
