import { Router, type Request, type Response } from 'express';
import type { HookEvent } from '@cds/wire';
import * as z from 'zod';
import type { Caller } from './access';
import { answerJson, ApiRefusal } from './api-refusal';
import type { Generation } from './generations/generation';
import { checkedJsonOf } from './json-body';
import type { BranchRemoval, Workflow, WorkflowRun } from './model';
import type { ProjectStore } from './project-store';
import { listRuns } from './run-list';
import { removeRuns } from './run-removal';

export interface RunRoutesDeps {
  projects: ProjectStore;
  branchRemoval: Generation['branchRemoval'];
  /** From 0.52 on a branch with an escaped slash is found. */
  matchesEscapedSlash: boolean;
  onRun: (run: WorkflowRun) => void;
  onRemoval: (removal: BranchRemoval) => void;
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

/** Of a scheduler's configuration these are never part of a run's payload. */
const NEVER_IN_PAYLOAD = ['project', 'workflow', 'cron', 'timezone'];

/**
 * What is wrong with a run of a workflow that runs by the clock; undefined when nothing is, or it
 * is another one.
 */
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

/** Runs: asked for, listed, removed. The caller is in `response.locals`. */
export function createRunRoutes(deps: RunRoutesDeps): Router {
  const { projects } = deps;
  const router = Router({ strict: true, caseSensitive: true });
  let lastRunId = 0;
  const path = '/project/:key/workflows/:name/runs';

  router.post(path, (request, response) => {
    const { key, name } = request.params;
    const caller = callerIn(response);
    if (!caller.isHooks && !caller.mayWrite) throw new ApiRefusal('forbidden');
    const workflow = projects.workflow(key, name);
    const { hook } = checkedJsonOf(request, runSchema);
    const problem = whyNotScheduled(workflow, hook);
    if (problem !== undefined) throw new ApiRefusal('wrongRequest', problem);
    lastRunId += 1;
    const last = Math.max(0, ...runsEverOf(workflow).map(({ number }) => number));
    const run: WorkflowRun = {
      id: lastRunId,
      number: last + 1,
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

  router.get(path, (request, response) => {
    if (!callerIn(response).mayRead) throw new ApiRefusal('forbidden');
    const { key, name } = request.params;
    const { status, headers, runs } = listRuns(projects.workflow(key, name), request);
    response.set(headers);
    answerJson(response, status, runs);
  });

  router.delete(`${path}/:number`, (request, response) => {
    const caller = callerIn(response);
    // `hooks` may not, not even with the consumer of an administrator.
    if (!caller.mayWrite || caller.service?.type === 'hooks') throw new ApiRefusal('forbidden');
    const { key, name, number } = request.params;
    const workflow = projects.workflow(key, name);
    const run = runsEverOf(workflow).find((each) => String(each.number) === number);
    if (!run) throw new ApiRefusal('notFound');
    for (const removal of removeRuns(workflow, [run], { project: key, by: 'run' }))
      deps.onRemoval(removal);
    answerJson(response, 202, null);
  });

  router.delete(`${path}/branch/:branch`, (request, response) => {
    const { key, name, branch } = request.params;
    const caller = callerIn(response);
    if (deps.branchRemoval === 'rule' && (caller.service || !caller.mayWrite))
      throw new ApiRefusal('forbidden');
    // The router of a CDS before 0.52 takes %2F for a slash, and has no such route then.
    if (branch.includes('/') && !deps.matchesEscapedSlash) throw new ApiRefusal('notFound');
    const of = deps.branchRemoval === 'rule' ? lastSegmentOf(request) : branch;
    const workflow = projects.project(key).workflows.get(name);
    const runs = workflow?.runs.filter(({ event }) => event.payload['git.branch'] === of) ?? [];
    if (workflow) removeRuns(workflow, runs, { project: key, by: 'branch' });
    deps.onRemoval({
      at: new Date().toISOString(),
      by: 'branch',
      project: key,
      workflow: name,
      branch,
      runs: runs.length,
    });
    answerJson(response, 200, null);
  });

  return router;
}

/** Who was let in. */
export function callerIn(response: Response): Caller {
  return (response.locals as { caller: Caller }).caller;
}

function runsEverOf({ runs, removedRuns }: Workflow): WorkflowRun[] {
  return [...removedRuns, ...runs];
}

/** As it came: the handler of 0.50 and later does not decode it, and finds no `feat%2Fx`. */
function lastSegmentOf(request: Request): string {
  return request.path.split('/').at(-1) ?? '';
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
