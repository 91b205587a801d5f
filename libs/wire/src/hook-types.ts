import * as z from 'zod';

/**
 * Nanoseconds since 1970, by which CDS names executions. Beyond 2^53, so `z.int()` refuses it;
 * JavaScript carries multiples of 1,000 exactly.
 */
export const nanosecondsSchema = z.number().meta({
  type: 'integer',
  format: 'int64',
  description:
    'Nanoseconds since 1970, a multiple of 1000. Above 2^53: read it as a 64-bit integer.',
});

/** One value of a hook's configuration, as CDS writes it. Unknown fields are handed back. */
export const hookConfigValueSchema = z
  .looseObject({
    value: z.string(),
    configurable: z.boolean(),
    type: z.string(),
    multiple_choice_list: z.array(z.unknown()).nullable(),
  })
  .meta({ id: 'HookConfigValue' });
export type HookConfigValue = z.infer<typeof hookConfigValueSchema>;

/** A hook's configuration: `project`, `workflow`, `method`, `repoFullName`, `webHookURL`, … */
export const hookConfigSchema = z
  .record(z.string(), hookConfigValueSchema)
  .meta({ id: 'HookConfig' });
export type HookConfig = z.infer<typeof hookConfigSchema>;

/** A hook of a workflow, as `GET /workflow/hook` lists it and `/task/bulk` carries it. */
export interface NodeHook {
  id: number;
  uuid: string;
  ref: string;
  node_id: number;
  hook_model_id: number;
  hook_model_name: string;
  config: HookConfig;
}

/** From the name of a hook's model to the type of the task that serves it. */
export const TASK_TYPES = {
  RepositoryWebHook: 'RepoWebHook',
  WebHook: 'Webhook',
  Scheduler: 'Scheduler',
  'Git Repository Poller': 'RepoPoller',
  'Kafka hook': 'Kafka',
  'RabbitMQ hook': 'RabbitMQ',
  Workflow: 'Workflow',
  GerritHook: 'Gerrit',
} as const;

export type HookModelName = keyof typeof TASK_TYPES;
export const taskTypeSchema = z
  .enum([
    ...Object.values(TASK_TYPES),
    'BranchDeletion',
    // What `POST /task/execute` brings.
    'OutgoingWebhook',
    'OutgoingWorkflow',
  ])
  .meta({ id: 'TaskType' });
export type TaskType = z.infer<typeof taskTypeSchema>;

/** The request that an incoming webhook brought. */
export const webHookExecutionSchema = z
  .object({
    request_url: z.string().describe('The raw query, without the question mark.'),
    request_body: z.string().describe('The raw body in base64.'),
    request_header: z
      .record(z.string(), z.array(z.string()))
      .describe("Names in Go's canonical form (`X-Event-Key`)."),
    request_method: z.string().describe('Empty for what came in; the method of what goes out.'),
  })
  .meta({ id: 'WebHookExecution' });
export type WebHookExecution = z.infer<typeof webHookExecutionSchema>;

/** The message that a queue brought. */
export const rabbitmqExecutionSchema = z
  .object({ message: z.string().describe('In base64.') })
  .meta({ id: 'RabbitmqExecution' });
export type RabbitmqExecution = z.infer<typeof rabbitmqExecutionSchema>;

/** The time that a schedule named, or that a cleanup is due at. */
export const scheduledTaskSchema = z
  .object({
    date_scheduled_execution: z
      .string()
      .describe('Of a schedule as Go prints a time: `2026-11-22 10:46:00 +0000 UTC`.'),
  })
  .meta({ id: 'ScheduledTask' });
export type ScheduledTask = z.infer<typeof scheduledTaskSchema>;

/** A change that a look at a repository found. */
export const pollExecutionSchema = z
  .object({
    kind: z.enum(['push', 'pullrequest', 'delete']),
    ref: z.string().describe('`refs/heads/NAME` or `refs/tags/NAME`.'),
    hash: z.string().describe('Of the commit; empty for a deletion.'),
  })
  .meta({ id: 'PollExecution' });
export type PollExecution = z.infer<typeof pollExecutionSchema>;

/** One execution of a task. */
export const taskExecutionSchema = z
  .object({
    uuid: z.string().describe('Of the task.'),
    type: taskTypeSchema,
    timestamp: nanosecondsSchema,
    nb_errors: z.int(),
    last_error: z.string().optional(),
    processing_timestamp: nanosecondsSchema.describe(
      'When it ended, in nanoseconds; 0 while there is still something to do.',
    ),
    workflow_run: z.int().describe('Number of the last workflow run that it started, 0 before.'),
    replay_of: nanosecondsSchema
      .optional()
      .describe(
        'Not of CDS: the timestamp of the execution of which an operator asked for this replay.',
      ),
    config: hookConfigSchema.nullable(),
    webhook: webHookExecutionSchema.optional(),
    rabbitmq: rabbitmqExecutionSchema.optional(),
    scheduled_task: scheduledTaskSchema.optional(),
    poll: pollExecutionSchema.optional().describe('Not of CDS: the change that it is for.'),
    status: z.enum(['', 'SCHEDULED', 'DOING', 'DONE']).describe('Empty is queued.'),
  })
  .meta({ id: 'TaskExecution' });
export type TaskExecution = z.infer<typeof taskExecutionSchema>;

/** A task of `hooks`, as its routes answer it. */
export const taskSchema = z
  .object({
    uuid: z.string(),
    type: taskTypeSchema,
    config: hookConfigSchema.nullable(),
    stopped: z.boolean(),
    executions: z.array(taskExecutionSchema).nullable(),
    nb_executions_total: z.int(),
    nb_executions_todo: z.int(),
  })
  .meta({ id: 'Task' });
export type Task = z.infer<typeof taskSchema>;

/** What the body of `POST /project/{key}/workflows/{name}/runs` holds under `hook`. */
export interface HookEvent {
  payload: Record<string, string>;
  /** The hook. */
  uuid: string;
  parent_workflow: { key: string; name: string; run: number; HookRunID: string };
}

/** What the API is told of an outgoing hook that ran. Times are RFC 3339. */
export interface OutgoingCallback {
  /** The node of the workflow. */
  workflow_node_outgoing_hook_id: number;
  start: string;
  /** Go's zero time while the run that it started goes on. */
  done: string;
  status: 'Success' | 'Fail' | 'Building';
  log: string;
  /** Of the run that it started. */
  workflow_run_number: number | null;
}

/** The `parent_workflow` of a run that no other workflow started. */
export const NO_PARENT_WORKFLOW: HookEvent['parent_workflow'] = {
  key: '',
  name: '',
  run: 0,
  HookRunID: '',
};
