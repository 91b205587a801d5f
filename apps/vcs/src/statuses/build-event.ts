import { z } from 'zod';
import { text } from '../http/route-params';

/** The `type_event` of the only event that makes a build status. */
export const NODE_RUN_EVENT = 'sdk.EventRunWorkflowNode';

const count = z
  .int()
  .nonnegative()
  .nullish()
  .transform((value) => value ?? 0);

/** An event of CDS of any type. */
export const eventSchema = z.object({
  type_event: z.string(),
  project_key: text,
  workflow_name: text,
  payload: z.unknown(),
});

/** The run of a workflow node, reduced to what a build status needs. */
export const nodeRunSchema = z.object({
  NodeName: text,
  Status: z.string(),
  /** The number of the workflow run. */
  Number: count,
  /** The number of the node's run within the workflow run. */
  SubNumber: count,
  Hash: text,
  RepositoryFullName: text,
  BranchName: text,
});

export interface BuildEvent {
  projectKey: string;
  workflowName: string;
  node: z.infer<typeof nodeRunSchema>;
}
