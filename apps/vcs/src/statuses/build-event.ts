import * as z from 'zod';
import { text } from '../http/route-params';
import { MAX_TEXT, shortenDistinct } from '../http/shorten';
import {
  buildState,
  describeBuild,
  DOCUMENTATION_URL,
  type ReportedBuild,
  statusKey,
  statusUrl,
} from './reported-build';
import { STATUS_NAME_PREFIX } from './vcs-commit-status';

/** The `type_event` of the only event that makes a build status. */
export const NODE_RUN_EVENT = 'sdk.EventRunWorkflowNode';

const count = z
  .int()
  .nonnegative()
  .nullish()
  .transform((value) => value ?? 0);

/** An event of CDS of any type, as CDS before 0.54 sends it. */
export const eventSchema = z
  .object({
    type_event: z.string(),
    project_key: text,
    workflow_name: text,
    payload: z.unknown(),
  })
  .meta({ id: 'CdsEvent' });
export type CdsEvent = z.infer<typeof eventSchema>;

/** CDS before 0.44 names the fields as in Go, later ones as in JSON. */
const JSON_NAMES = {
  NodeName: 'node_name',
  Status: 'status',
  Number: 'num',
  SubNumber: 'subnum',
  Hash: 'hash',
  RepositoryFullName: 'repository_full_name',
  BranchName: 'branch_name',
} as const;

function withGoNames(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null) return payload;
  const fields = payload as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(JSON_NAMES).map(([go, json]) => [go, fields[go] ?? fields[json]]),
  );
}

/** The run of a workflow node, reduced to what a build status needs. */
export const nodeRunSchema = z.preprocess(
  withGoNames,
  z.object({
    NodeName: text,
    Status: z.string(),
    /** The number of the workflow run. */
    Number: count,
    /** The number of the node's run within the workflow run. */
    SubNumber: count,
    Hash: text,
    RepositoryFullName: text,
    BranchName: text,
  }),
);

export interface BuildEvent {
  projectKey: string;
  workflowName: string;
  node: z.infer<typeof nodeRunSchema>;
}

export interface BuildStatusOptions {
  uiUrl: string;
  /** Link to the run instead of CDS's documentation. */
  showDetail: boolean;
  /** CDS sends Skipped since 0.42. */
  sendSkipped: boolean;
}

/** Makes the build status of an event; undefined for an event without one. */
export function buildOfEvent(
  { projectKey: project, workflowName: workflow, node: run }: BuildEvent,
  { uiUrl, showDetail, sendSkipped }: BuildStatusOptions,
): ReportedBuild | undefined {
  const state = buildState(run.Status);
  if (state === undefined || (run.Status === 'Skipped' && !sendSkipped)) return undefined;
  const { NodeName: name, Number: number, SubNumber: subNumber, BranchName: branch } = run;
  const fullName = `${STATUS_NAME_PREFIX}${project}-${workflow}-${name}`;
  const node = { project, workflow, number, node: name, branch };
  return {
    repository: run.RepositoryFullName,
    hash: run.Hash,
    status: {
      key: statusKey(fullName),
      name: shortenDistinct(fullName, MAX_TEXT),
      state,
      description: describeBuild(name, run.Status),
      url: showDetail ? statusUrl(uiUrl, node) : DOCUMENTATION_URL,
      // Shows the status on the pull request of the branch. Half of a name names another branch.
      ...(branch !== '' && branch.length <= MAX_TEXT && { refname: branch }),
    },
    run: { number, subNumber },
    node,
  };
}
