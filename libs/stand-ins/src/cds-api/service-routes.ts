import express, { Router, type Request, type RequestHandler } from 'express';
import { z } from 'zod';
import type { HookEvent } from '@cds/wire';
import { answerError, answerJson, ApiRefusal } from './api-refusal';
import type { BranchRemoval, Workflow, WorkflowRun } from './model';
import type { ProjectStore } from './project-store';
import { ServiceCallError, type ServiceCaller } from './service-caller';
import type { ServiceRegistry } from './service-registry';

export interface ServiceRoutesDeps {
  registry: ServiceRegistry;
  projects: ProjectStore;
  caller: ServiceCaller;
  version: () => string;
  inMaintenance: () => boolean;
  /** From 0.52 on a branch with an escaped slash is found. */
  matchesEscapedSlash: boolean;
  onRun: (run: WorkflowRun) => void;
  onRemoval: (removal: BranchRemoval) => void;
  /** The routes of outgoing hooks. */
  outgoing: Router;
  /** The route of hooks that poll. */
  vcsEvents: Router;
}

const runSchema = z.looseObject({
  hook: z.looseObject({
    // Go decodes a map of strings: a number in it is an error.
    payload: z.record(z.string(), z.string()),
    uuid: z.string(),
    parent_workflow: z
      .looseObject({ key: z.string(), name: z.string(), run: z.int(), HookRunID: z.string() })
      .optional(),
  }),
});

/** What tells an error of CDS from another answer. */
const cdsErrorSchema = z.looseObject({ id: z.int().min(1), message: z.string() });

/** Of a scheduler's configuration these are never part of a run's payload. */
const NEVER_IN_PAYLOAD = ['project', 'workflow', 'cron', 'timezone'];

/** What is wrong with a run of a workflow that runs by the clock; undefined when nothing is, or it is another one. */
function whyNotScheduled(
  { hook }: Workflow,
  run: { uuid: string; payload: Record<string, string> },
): string | undefined {
  if (hook.hook_model_name !== 'Scheduler') return undefined;
  if (run.uuid !== hook.uuid) return `the workflow has no hook ${run.uuid}`;
  const { payload } = run;
  if (payload['cds.triggered_by.username'] !== 'cds.scheduler') return 'no cds.scheduler asks';
  const extra = NEVER_IN_PAYLOAD.filter((key) => key in payload);
  if (extra.length > 0) return `the payload holds ${extra.join(', ')}`;
  const given = hook.config['payload']?.value ?? '{}';
  if (payload['payload'] !== (given === '{}' ? undefined : given))
    return 'the payload is not that of the hook';
  return undefined;
}

const NO_PARENT = { key: '', name: '', run: 0, HookRunID: '' };

/** What the API answers to its services. */
export function createServiceRoutes(deps: ServiceRoutesDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  let lastRunId = 0;

  router.get('/mon/version', (_request, response) =>
    answerJson(response, 200, {
      version: deps.version(),
      architecture: 'amd64',
      os: 'linux',
      git_hash: '',
      build_time: '',
      db_migrate: '0',
    }),
  );

  router.use(express.raw({ type: () => true, limit: '20mb' }));

  router.post('/services/register', (request, response) => {
    requireServiceAgent(request);
    if (deps.inMaintenance()) throw new ApiRefusal('unavailable', 'the API is in maintenance');
    answerJson(response, 200, deps.registry.register(jsonOf(request)));
  });

  router.use(authenticateService(deps.registry));

  router.get('/workflow/hook', (_request, response) =>
    answerJson(response, 200, deps.projects.hooks()),
  );

  router.get('/project/:key/integrations/:name', (request, response) => {
    // Without it CDS hides the passwords: a service could not connect.
    if (request.query['clearPassword'] !== 'true') throw new ApiRefusal('wrongRequest');
    const { key, name } = request.params;
    const config = deps.projects.project(key).integrations.get(name);
    if (!config) throw new ApiRefusal('notFound');
    answerJson(response, 200, { id: 1, project_id: 1, name, config });
  });

  router.get('/config/vcs', async (_request, response) => {
    // Nobody to ask is no error: the API answers what it would have put the answer into.
    if (deps.registry.ofType('vcs').length === 0) {
      answerJson(response, 200, {});
      return;
    }
    try {
      const { body } = await deps.caller.call('vcs', { method: 'GET', path: '/vcs' });
      answerJson(response, 200, body);
    } catch (error) {
      // An error of CDS keeps its status on its way through the API: a 401 is not always the API's
      // own.
      const refused = error instanceof ServiceCallError ? error.answer : undefined;
      if (!cdsErrorSchema.safeParse(refused?.body).success) throw error;
      answerJson(response, refused?.status ?? 500, refused?.body);
    }
  });

  router.post('/project/:key/workflows/:name/runs', (request, response) => {
    const { key, name } = request.params;
    const workflow = deps.projects.workflow(key, name);
    const checked = runSchema.safeParse(jsonOf(request));
    if (!checked.success) throw new ApiRefusal('wrongRequest', z.prettifyError(checked.error));
    const { hook } = checked.data;
    const problem = whyNotScheduled(workflow, hook);
    if (problem !== undefined) throw new ApiRefusal('wrongRequest', problem);
    lastRunId += 1;
    const run: WorkflowRun = {
      id: lastRunId,
      number: (workflow.runs.at(-1)?.number ?? 0) + 1,
      project: key,
      workflow: name,
      event: { parent_workflow: NO_PARENT, ...hook } as HookEvent,
      askedAt: new Date().toISOString(),
      status: 'Pending',
      problems: [],
    };
    workflow.runs.push(run);
    answerJson(response, 202, runAnswer(run, workflow.id));
    deps.onRun(run);
  });

  router.delete('/project/:key/workflows/:name/runs/branch/:branch', (request, response) => {
    const { key, name, branch } = request.params;
    // The router of a CDS before 0.52 takes %2F for a slash, and has no such route then.
    if (branch.includes('/') && !deps.matchesEscapedSlash) throw new ApiRefusal('notFound');
    const workflow = deps.projects.project(key).workflows.get(name);
    const isOfBranch = (run: WorkflowRun): boolean => run.event.payload['git.branch'] === branch;
    const removed = workflow?.runs.filter(isOfBranch) ?? [];
    if (workflow) workflow.runs = workflow.runs.filter((run) => !isOfBranch(run));
    deps.onRemoval({
      at: new Date().toISOString(),
      project: key,
      workflow: name,
      branch,
      runs: removed.length,
    });
    answerJson(response, 200, null);
  });

  router.use(deps.outgoing, deps.vcsEvents);

  router.use(() => {
    throw new ApiRefusal('notFound');
  });
  router.use(answerError);
  return router;
}

/** The API takes a caller for a service by this alone; others would need a user's session. */
function requireServiceAgent(request: Request): void {
  if (request.get('user-agent') !== 'CDS/service') throw new ApiRefusal('notAuthenticated');
}

function authenticateService(registry: ServiceRegistry): RequestHandler {
  return (request, _response, next) => {
    requireServiceAgent(request);
    const header = request.get('x_auth_header') ?? '';
    const hash = Buffer.from(header, 'base64').toString('utf8');
    if (!hash || !registry.byHash(hash)) throw new ApiRefusal('notAuthenticated');
    next();
  };
}

/** @throws ApiRefusal 400, id 74 */
function jsonOf(request: Request): unknown {
  const body: unknown = request.body;
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch (error) {
    throw new ApiRefusal('wrongRequest', (error as Error).message);
  }
}

/** The run as the API answers it: long, and of interest for its number only. */
function runAnswer(run: WorkflowRun, workflowId: number): Record<string, unknown> {
  const { payload } = run.event;
  const tags = [
    ['triggered_by', payload['cds.triggered_by.username'] ?? 'cds.hook'],
    ['git.branch', payload['git.branch']],
    ['git.tag', payload['git.tag']],
    ['git.author', payload['git.author']],
  ];
  return {
    id: run.id,
    num: run.number,
    project_id: 1,
    workflow_id: workflowId,
    status: run.status,
    workflow: {
      id: 0,
      name: run.workflow,
      last_modified: '0001-01-01T00:00:00Z',
      project_key: '',
      metadata: null,
      history_length: 0,
      to_delete: false,
      favorite: false,
      urls: { api_url: '', ui_url: '' },
    },
    start: run.askedAt,
    last_modified: run.askedAt,
    tags: tags.filter(([, value]) => value).map(([tag, value]) => ({ tag, value })),
    last_subnumber: 0,
    last_execution: run.askedAt,
    to_delete: false,
  };
}
