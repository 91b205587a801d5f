import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GO_ZERO_TIME, type OutgoingCallback, type Task } from '@cds/wire';
import { Router } from 'express';
import * as z from 'zod';
import { answerJson, ApiRefusal } from './api-refusal';
import { buildNodeRun } from './builds/build-event';
import type { WorkflowRun } from './model';
import { configValue, type ProjectStore } from './project-store';
import type { ServiceCaller } from './service-caller';

/**
 * What a node with an outgoing hook is configured with, and the variables of the run that comes to
 * it.
 */
export interface OutgoingHookOrder {
  project: string;
  workflow: string;
  /** Of the run; it is Building as long as the hook is not over. */
  number: number;
  model: 'WebHook' | 'Workflow';
  config: Record<string, string>;
  parameters?: Record<string, string> | undefined;
  /** Shown by the details of the hook alone. */
  secrets?: Record<string, string> | undefined;
}

export interface OutgoingHookRun {
  uuid: string;
  order: OutgoingHookOrder;
  /** All that came, in order: a service may repeat itself. */
  callbacks: OutgoingCallback[];
  /** False while the transaction goes on in which it is posted: nobody else sees it then. */
  isCommitted: boolean;
}

export type OutgoingHooks = ReturnType<typeof createOutgoingHooks>;

const time = z.iso.datetime();
const common = {
  workflow_node_outgoing_hook_id: z.int(),
  start: time,
  log: z.string().min(1),
};
const over = time.refine(
  (done) => done !== GO_ZERO_TIME,
  'a hook that is over was over at some time',
);
const callbackSchema = z.discriminatedUnion('status', [
  z.strictObject({
    ...common,
    status: z.literal('Building'),
    done: z.literal(GO_ZERO_TIME),
    workflow_run_number: z.int().min(1),
  }),
  z.strictObject({
    ...common,
    status: z.literal('Success'),
    done: over,
    workflow_run_number: z.null(),
  }),
  z.strictObject({
    ...common,
    status: z.literal('Fail'),
    done: over,
    workflow_run_number: z.null(),
  }),
]);

const NODE = 3;
/** As the real one: it commits 50 to 200 ms after it has posted a hook. */
const COMMIT_MS = [50, 200, 125, 80] as const;

/** Outgoing hooks: what the API posts to `hooks`, what it shows of the run, and what it is told. */
export function createOutgoingHooks(deps: { projects: ProjectStore; caller: ServiceCaller }) {
  const { projects, caller } = deps;
  const hookRuns: OutgoingHookRun[] = [];

  function runOf(project: string, workflow: string, number: string): WorkflowRun {
    const { runs } = projects.workflow(project, workflow);
    const run = runs.find((each) => String(each.number) === number);
    if (!run) throw new ApiRefusal('notFound');
    return run;
  }

  function allOf({ project, workflow, number }: WorkflowRun): OutgoingHookRun[] {
    return hookRuns.filter(
      ({ order }) =>
        order.project === project && order.workflow === workflow && order.number === number,
    );
  }

  /** As far as others see them. */
  function hookRunsOf(run: WorkflowRun): OutgoingHookRun[] {
    return allOf(run).filter(({ isCommitted }) => isCommitted);
  }

  async function commitLater(hook: OutgoingHookRun): Promise<void> {
    const ms = COMMIT_MS[hookRuns.indexOf(hook) % COMMIT_MS.length];
    await sleep(ms, undefined, { ref: false });
    hook.isCommitted = true;
  }

  function hookRunOf(params: Record<string, string>): { run: WorkflowRun; hook: OutgoingHookRun } {
    const { key = '', name = '', number = '', uuid = '' } = params;
    const run = runOf(key, name, number);
    const hook = hookRunsOf(run).find((each) => each.uuid === uuid);
    if (!hook) throw new ApiRefusal('notFound');
    return { run, hook };
  }

  function nodeRun({ uuid, order }: OutgoingHookRun): Record<string, unknown> {
    const config = {
      hookIcon: 'Linkify',
      model_name: order.model,
      model_type: 'builtin',
      project: order.project,
      workflow: order.workflow,
      ...order.config,
    };
    return {
      workflow_run_id: 1,
      workflow_id: 1,
      application_id: 0,
      id: 0,
      workflow_node_id: NODE,
      workflow_node_name: 'out',
      num: order.number,
      subnumber: 0,
      status: 'Waiting',
      start: new Date().toISOString(),
      done: GO_ZERO_TIME,
      build_parameters: parametersOf(order.parameters, 'string'),
      uuid,
      outgoinghook: {
        id: 1,
        node_id: NODE,
        hook_model_id: 1,
        config: Object.fromEntries(
          Object.entries(config).map(([key, value]) => [key, configValue(value)]),
        ),
      },
    };
  }

  const router = Router({ strict: true, caseSensitive: true });
  const path = '/project/:key/workflows/:name/runs/:number';
  router.get(path, (request, response) => {
    const { key, name, number } = request.params;
    const run = runOf(key, name, number);
    const { application } = projects.workflow(key, name);
    const built = application ? [buildNodeRun(run)] : [];
    const nodes = { '2': built, [NODE]: hookRunsOf(run).map(nodeRun) };
    answerJson(response, 200, { id: run.id, num: run.number, status: run.status, nodes });
  });
  router.get(`${path}/hooks/:uuid/details`, (request, response) => {
    const { hook } = hookRunOf(request.params);
    // What is undefined is left out: as the real one, without secrets there are no variables at
    // all.
    const secrets = parametersOf(hook.order.secrets, 'password');
    const build_parameters = secrets.length > 0 ? secrets : undefined;
    answerJson(response, 200, { ...nodeRun(hook), build_parameters });
  });
  router.post(`${path}/hooks/:uuid/callback`, (request, response) => {
    const { run, hook } = hookRunOf(request.params);
    const body: unknown = JSON.parse(String(request.body));
    const checked = callbackSchema.safeParse(body);
    if (!checked.success) throw new ApiRefusal('wrongRequest', z.prettifyError(checked.error));
    hook.callbacks.push(checked.data);
    const results = hookRunsOf(run).map(({ callbacks }) => callbacks.at(-1)?.status ?? 'Building');
    // A run is over when all of its hooks are.
    if (results.includes('Fail')) run.status = 'Fail';
    else if (!results.includes('Building')) run.status = 'Success';
    answerJson(response, 204, null);
  });

  return {
    router,
    /** Newest last. */
    all: (): OutgoingHookRun[] => [...hookRuns],

    /** A run comes to the node: it waits for the hook. `repeat`: this one again. */
    async execute(
      order: OutgoingHookOrder,
      repeat?: OutgoingHookRun,
    ): Promise<{ hook: OutgoingHookRun; task: Task }> {
      const run = runOf(order.project, order.workflow, String(order.number));
      const uuid = randomUUID();
      const hook = repeat ?? { uuid, order, callbacks: [], isCommitted: false };
      if (!repeat) {
        run.status = 'Building';
        hookRuns.push(hook);
      }
      const { body } = await caller.call('hooks', {
        method: 'POST',
        path: '/task/execute',
        body: nodeRun(hook),
      });
      // It posts inside of its transaction, and others see what it posted when that is over.
      void commitLater(hook);
      return { hook, task: body as Task };
    },
  };
}

function parametersOf(values: Record<string, string> = {}, type: string) {
  return Object.entries(values).map(([name, value]) => ({ id: 0, name, type, value }));
}
