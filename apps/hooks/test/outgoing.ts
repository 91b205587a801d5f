import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from './test-context';

export interface Received {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A target of outgoing webhooks. */
export interface Target {
  url: string;
  received: Received[];
  /** How the next requests are answered. */
  answer: (request: Received, response: ServerResponse) => void;
  stop(): void;
}

export async function startTarget(): Promise<Target> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      target.received.push(received);
      target.answer(received, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target: Target = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: (_, response) => void response.end('{"ok":true}'),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return target;
}

export type Parameters = Record<string, string>;

function plain(value: string) {
  return { value, configurable: false, type: '', multiple_choice_list: null };
}

/** The run of a node as the API posts it. */
export function nodeRun(
  config: Record<string, string>,
  change: { uuid?: string; num?: number } = {},
) {
  const { uuid = randomUUID(), num = 2 } = change;
  const whole = {
    hookIcon: 'Linkify',
    model_type: 'builtin',
    project: 'PROJ',
    workflow: 'wf2',
    ...config,
  };
  return {
    workflow_run_id: 3,
    workflow_id: 2,
    id: 0,
    workflow_node_id: 3,
    workflow_node_name: 'out',
    num,
    subnumber: 0,
    status: 'Waiting',
    build_parameters: [],
    uuid,
    outgoinghook: {
      id: 1,
      node_id: 3,
      hook_model_id: 1,
      config: Object.fromEntries(Object.entries(whole).map(([key, text]) => [key, plain(text)])),
    },
  };
}
export type PostedRun = ReturnType<typeof nodeRun>;

/** How long the transaction of the API goes on after it has posted a run (ms): from 50 to 200. */
const COMMIT_MS = [50, 200, 125, 80] as const;
let posted = 0;

/**
 * Lets the API know the run, as it does before it posts it: in a transaction, whose end others see
 * a moment later.
 *
 * @param variables.commitMs when that is; 50 to 200 ms when not given
 */
export function apiKnows(
  { api }: Pick<TestContext, 'api'>,
  run: PostedRun,
  variables: {
    parameters?: Parameters;
    secrets?: Parameters;
    status?: string;
    commitMs?: number;
  } = {},
): void {
  const { commitMs = COMMIT_MS[posted++ % COMMIT_MS.length] ?? 0 } = variables;
  const list = (values: Parameters, type: string) =>
    Object.entries(values).map(([name, value]) => ({ name, type, value }));
  const project = run.outgoinghook.config.project?.value ?? 'PROJ';
  const path = `/project/${project}/workflows/wf2/runs/${run.num}`;
  const known = api.hookRuns.get(path) ?? { status: '', hooks: new Map() };
  known.status = variables.status ?? 'Building';
  known.hooks.set(run.uuid, {
    parameters: list(variables.parameters ?? {}, 'string'),
    secrets: list(variables.secrets ?? {}, 'password'),
    committedAt: Date.now() + commitMs,
  });
  api.hookRuns.set(path, known);
}

/** What a workflow with an outgoing webhook posts. */
export function webhookRun(
  target: { url: string },
  config: Record<string, string> = {},
  change: { uuid?: string; num?: number } = {},
): PostedRun {
  return nodeRun(
    {
      model_name: 'WebHook',
      URL: `${target.url}/out`,
      method: 'POST',
      payload: '{"a":"b"}',
      ...config,
    },
    change,
  );
}

export function workflowRun(config: Record<string, string> = {}): PostedRun {
  return nodeRun({
    model_name: 'Workflow',
    target_project: 'PROJ',
    target_workflow: 'wft',
    target_hook: '07b22be8-8819-4246-b7cd-61399ac53734',
    payload: '{"git.branch":"master"}',
    ...config,
  });
}
