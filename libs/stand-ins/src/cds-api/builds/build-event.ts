import type { NodeStatus, WorkflowRun } from '../model';
import type { ReporterDeps } from './reporter';

/** The name of the one pipeline of every workflow here. */
export const NODE_NAME = 'build';

/** The name of the build status of a run up to 0.53. */
export function longStatusName(run: WorkflowRun): string {
  return `CDS/${shortStatusName(run)}`;
}

/** The name of the build status of a run from 0.54 on. */
export function shortStatusName(run: WorkflowRun): string {
  return `${run.project}-${run.workflow}-${NODE_NAME}`;
}

/** Go's `time.Time{}.Unix()`: no time. */
const NO_TIME = -62_135_596_800;

/**
 * The event that the API posts to `vcs` when a node of a run changes: it carries the push twice,
 * once in the hook event and once as the node's own payload. An event of the second kind the API
 * makes up when it finds that a status is missing; it names no host.
 */
export function buildEvent(
  run: WorkflowRun,
  repository: { server: string; repo: string },
  status: NodeStatus,
  kind: 'live' | 'made-up' = 'live',
): Record<string, unknown> {
  const { payload } = run.event;
  const seconds = Math.floor(Date.now() / 1_000);
  const done = status === 'Building' ? 0 : seconds;
  return {
    timestamp: new Date().toISOString().replace('Z', '123456Z'),
    hostname: kind === 'live' ? 'sandbox' : '',
    cdsname: kind === 'live' ? 'api_sandbox' : '',
    type_event: 'sdk.EventRunWorkflowNode',
    payload: {
      BranchName: payload['git.branch'] ?? '',
      Done: done,
      EventIntegrations: null,
      GerritChange: null,
      Hash: payload['git.hash'] ?? '',
      HookEvent: {
        ParentWorkflow: { HookRunID: '', Key: '', Name: '', Run: 0 },
        Payload: payload,
        WorkflowNodeHookUUID: run.event.uuid,
      },
      HookLog: '',
      HookUUID: '',
      ID: run.id,
      Manual: null,
      NodeID: run.id,
      NodeName: NODE_NAME,
      NodeType: kind === 'live' ? 'pipeline' : '',
      Number: run.number,
      Payload: payload,
      RepositoryFullName: repository.repo,
      RepositoryManagerName: repository.server,
      RunID: run.id,
      SourceNodeRuns: kind === 'live' ? [] : null,
      StagesSummary: [stage(status, seconds, done)],
      Start: seconds,
      Status: status,
      SubNumber: 0,
      Tag: payload['git.tag'] ?? '',
      WorkflowRunID: 0,
    },
    attempt: 0,
    project_key: run.project,
    application_name: 'application',
    pipeline_name: NODE_NAME,
    workflow_name: run.workflow,
    ...(kind === 'live'
      ? { workflow_run_num: run.number, status, event_integrations_id: [] }
      : { event_integrations_id: null }),
  };
}

/** The same event as 0.50 to 0.53 write it: with the keys of its JSON, not with those of Go. */
export function snakeCaseBuildEvent(
  { run, application }: ReporterDeps,
  status: NodeStatus,
): Record<string, unknown> {
  const event = buildEvent(run, application, status, 'made-up');
  const node = event['payload'] as Record<string, unknown>;
  const { payload } = run.event;
  return {
    ...event,
    payload: {
      ...{ id: run.id, node_id: run.id, run_id: run.id, num: run.number, status },
      ...{ start: node['Start'], ...(status === 'Building' ? {} : { done: node['Done'] }) },
      payload,
      hook_event: {
        ...{ payload, uuid: run.event.uuid },
        parent_workflow: { key: '', name: '', run: 0, HookRunID: '' },
      },
      ...{ manual: null, source_node_runs: [], workflow_run_id: 0 },
      repository_manager_name: application.server,
      repository_full_name: application.repo,
      ...{ hash: node['Hash'], tag: node['Tag'], branch_name: node['BranchName'] },
      ...{ node_name: NODE_NAME, stages_summary: [], hook_uuid: '' },
    },
  };
}

/** What 0.54 and later post in place of an event (`VCSBuildStatus`). */
export function buildStatus(
  { run, application, credential, uiUrl }: ReporterDeps,
  status: NodeStatus,
): Record<string, unknown> {
  const name = shortStatusName(run);
  const url = `${uiUrl}/project/${run.project}/workflow/${run.workflow}/run/${run.number}`;
  return {
    title: name,
    description: `${NODE_NAME}: ${status}`,
    url_cds: credential.statuses.haveDetails ? url : '',
    context: name,
    status,
    repository_fullname: application.repo,
    git_hash: run.event.payload['git.hash'] ?? '',
  };
}

/** The node of a run as `GET …/runs/{number}` shows it. */
export function buildNodeRun(run: WorkflowRun): Record<string, unknown> {
  return {
    ...{ workflow_run_id: run.id, workflow_id: 1, application_id: 1, id: run.id },
    ...{ workflow_node_id: 2, workflow_node_name: NODE_NAME, num: run.number, subnumber: 0 },
    ...{ status: run.status, start: run.askedAt, uuid: '' },
  };
}

function stage(status: NodeStatus, seconds: number, done: number): Record<string, unknown> {
  return {
    BuildOrder: 1,
    Enabled: true,
    ID: 1,
    Jobs: [],
    Name: '',
    RunJobsSummary: [
      {
        Done: done || NO_TIME,
        ID: 1,
        Job: { JobName: 'compile', PipelineActionID: 1, PipelineStageID: 1, Reason: '' },
        Queued: seconds,
        SpawnInfos: [],
        Start: seconds,
        Status: status,
        WorkflowNodeRunID: 1,
      },
    ],
    Status: status,
  };
}
