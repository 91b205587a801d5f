import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@cds/testing';
import type { OutgoingHookRun } from '@cds/stand-ins/cds-api';
import { PROJECT, type Replica, startStack, type Stack } from './stack.fixture';

const SECRET = 'the-deploy-token-of-the-project';
let stack: Stack;
let hooks: Replica;
let target: Server;
let targetUrl: string;
let answers: number[];
const bodies: string[] = [];

const env = { CDS_HOOKS_OUTGOING_ALLOW: '127.0.0.1', CDS_HOOKS_RETRYDELAY: '1' };

beforeAll(async () => {
  target = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.statusCode = answers.shift() ?? 200;
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  targetUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  stack = await startStack();
  hooks = await stack.start('hooks', { env });
  await stack.registered(1);
  for (const name of ['caller', 'called']) {
    await stack.api.workflows.createWebhookWorkflow({ project: PROJECT, name });
  }
});
beforeEach(() => {
  answers = [];
  bodies.length = 0;
});
afterAll(async () => {
  target?.closeAllConnections();
  target?.close();
  await stack?.stop();
});

/** Starts a run of the workflow with the outgoing hook. @returns its number */
async function startRun(): Promise<number> {
  const { hook, runs } = await stack.api.tasks().then(() => find('caller'));
  const before = runs.length;
  const uuid = hook.uuid;
  const answer = await fetch(`${hooks.url}/webhook/${uuid}`, { method: 'POST' });
  expect(answer.status).toBe(200);
  await waitFor(() => stack.api.runs(PROJECT, 'caller').length > before);
  return stack.api.runs(PROJECT, 'caller').at(-1)?.number ?? 0;
}

function find(name: string) {
  const projects = stack.api.state()['projects'] as {
    key: string;
    workflows: { name: string; hook: { uuid: string }; runs: unknown[] }[];
  }[];
  const workflow = projects.flatMap(({ workflows }) => workflows).find((one) => one.name === name);
  if (!workflow) throw new Error(`no workflow ${name}`);
  return workflow;
}

const told = (hook: OutgoingHookRun) =>
  waitFor(() => hook.callbacks.at(-1), { what: 'the callback' });

function webhook(number: number, config: Record<string, string> = {}) {
  return {
    project: PROJECT,
    workflow: 'caller',
    number,
    model: 'WebHook' as const,
    config: {
      URL: `${targetUrl}/out`,
      method: 'POST',
      payload: '{"to":"{{.git.branch}}"}',
      ...config,
    },
    parameters: { 'git.branch': 'main' },
    secrets: { 'cds.proj.token': SECRET },
  };
}

describe('an outgoing webhook', () => {
  it('is called with the variables of the run, and CDS has its log without secrets', async () => {
    const payload = '{"to":"{{.git.branch}}","token":"{{.cds.proj.token}}"}';

    const { hook, task } = await stack.api.outgoing.execute(webhook(await startRun(), { payload }));

    expect(await told(hook)).toMatchObject({ status: 'Success' });
    expect(bodies).toEqual([`{"to":"main","token":"${SECRET}"}`]);
    expect(hook.callbacks[0]?.log).toContain('**cds.proj.token**');
    expect(hook.callbacks[0]?.log).not.toContain(SECRET);
    expect(`${hooks.process.stdout()}${hooks.process.stderr()}`).not.toContain(SECRET);
    expect((await stack.api.tasks()).map(({ uuid }) => uuid)).toContain(task.uuid);
  });

  it('is tried three times, then it has failed', async () => {
    answers = [500, 502, 503];

    const { hook } = await stack.api.outgoing.execute(webhook(await startRun()));

    expect(await told(hook)).toMatchObject({ status: 'Fail' });
    expect(hook.callbacks[0]?.log).toMatch(/^HTTP Status 503/);
    expect(bodies).toHaveLength(3);
  });

  it('is called once although CDS posts it again', async () => {
    const order = webhook(await startRun());
    const { hook, task } = await stack.api.outgoing.execute(order);
    const again = await stack.api.outgoing.execute(order, hook);

    await told(hook);
    expect(again.task.uuid).toBe(task.uuid);
    expect(bodies).toHaveLength(1);
  });

  it('reaches no metadata', async () => {
    const { hook } = await stack.api.outgoing.execute(
      webhook(await startRun(), { URL: 'http://169.254.169.254/latest/meta-data/' }),
    );

    expect(await told(hook)).toMatchObject({
      status: 'Fail',
      log: expect.stringContaining('the target is refused') as string,
    });
  });

  it('is told to CDS after a restart, without another call', async () => {
    stack.api.failAsProxy({ count: 1_000, path: '/callback' });
    const { hook } = await stack.api.outgoing.execute(webhook(await startRun()));
    await waitFor(() => bodies.length === 1);
    // Of this hook, so that its result is stored.
    const callback = `/hooks/${hook.uuid}/callback`;
    await waitFor(() => stack.api.requests.entries().some(({ url }) => url.endsWith(callback)));
    await hooks.stop('SIGKILL');
    stack.api.faults.clear();

    hooks = await stack.start('hooks', { env });

    expect(await told(hook)).toMatchObject({ status: 'Success' });
    expect(bodies).toHaveLength(1);
  });
});

describe('an outgoing workflow', () => {
  it('starts the other workflow, which knows its parent', async () => {
    const number = await startRun();

    const { hook } = await stack.api.outgoing.execute({
      ...webhook(number),
      model: 'Workflow',
      config: {
        target_project: PROJECT,
        target_workflow: 'called',
        target_hook: '07b22be8-8819-4246-b7cd-61399ac53734',
        payload: '{"git.branch":"{{.git.branch}}"}',
      },
    });

    expect(await told(hook)).toMatchObject({ status: 'Building', workflow_run_number: 1 });
    expect(stack.api.runs(PROJECT, 'called')).toMatchObject([
      {
        event: {
          payload: { 'git.branch': 'main' },
          parent_workflow: { key: PROJECT, name: 'caller', run: number, HookRunID: hook.uuid },
        },
      },
    ]);
  });
});

describe('hooks that nothing is done for', () => {
  it.each([
    ['Workflow', 204],
    ['Kafka hook', 501],
    ['GerritHook', 501],
  ])('are kept and listed: %s is answered %i to its start', async (model, status) => {
    const uuid = `e2e-${model.replace(' ', '-')}`;
    const hook = {
      id: 1,
      uuid,
      ref: '',
      node_id: 1,
      hook_model_id: 1,
      hook_model_name: model,
      config: {},
    };
    await stack.api.callHooks('POST', '/task/bulk', { [uuid]: hook });

    expect((await stack.api.tasks()).map((task) => task.uuid)).toContain(uuid);
    const start = stack.api.callHooks('GET', `/task/${uuid}/start`);
    if (status === 204) await expect(start).resolves.toBeNull();
    else await expect(start).rejects.toThrow(`answered ${status}`);
  });
});
