/** One value of a hook's configuration, as CDS writes it. */
export interface HookConfigValue {
  value: string;
  configurable: boolean;
  type: string;
  multiple_choice_list: unknown[] | null;
}

/** A hook's configuration: `project`, `workflow`, `method`, `repoFullName`, `webHookURL`, … */
export type HookConfig = Record<string, HookConfigValue>;

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
export type TaskType =
  | (typeof TASK_TYPES)[HookModelName]
  | 'BranchDeletion'
  /** What `POST /task/execute` brings. */
  | 'OutgoingWebhook'
  | 'OutgoingWorkflow';

/** A task of `hooks`, as its routes answer it. */
export interface Task {
  uuid: string;
  type: TaskType;
  config: HookConfig | null;
  stopped: boolean;
  executions: TaskExecution[] | null;
  nb_executions_total: number;
  nb_executions_todo: number;
}

/** The request that an incoming webhook brought. */
export interface WebHookExecution {
  /** The raw query, without the question mark. */
  request_url: string;
  /** The raw body in base64. */
  request_body: string;
  /** Names in Go's canonical form (`X-Event-Key`). */
  request_header: Record<string, string[]>;
  /** Empty for what came in; the method of what goes out. */
  request_method: string;
}

/** The message that a queue brought. */
export interface RabbitmqExecution {
  /** In base64. */
  message: string;
}

/** The time that a schedule named. */
export interface ScheduledTask {
  /** As Go prints a time: `2026-11-22 10:46:00 +0000 UTC`. */
  date_scheduled_execution: string;
}

/** "" is queued. */
export type ExecutionStatus = '' | 'SCHEDULED' | 'DOING' | 'DONE';

/** One execution of a task. Timestamps are nanoseconds: multiples of 1,000, which JavaScript carries exactly. */
export interface TaskExecution {
  uuid: string;
  type: TaskType;
  timestamp: number;
  nb_errors: number;
  last_error?: string;
  /** 0 while there is still something to do. */
  processing_timestamp: number;
  /** Number of the last workflow run that it started, 0 before. */
  workflow_run: number;
  /** Not of CDS: the timestamp of the execution of which an operator asked for this replay. */
  replay_of?: number;
  config: HookConfig | null;
  webhook?: WebHookExecution;
  rabbitmq?: RabbitmqExecution;
  scheduled_task?: ScheduledTask;
  status: ExecutionStatus;
}

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
