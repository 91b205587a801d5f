import type { HookEvent, NodeHook, ServiceRegistration } from '@cds/wire';

/** What a consumer's token may be used for. */
export type Scope = 'Service' | 'Project' | 'Run' | 'Hooks';

/** A service that registered. */
export interface RegisteredService {
  /** What its row is found by: its name, or its consumer. */
  key: string;
  id: number;
  name: string;
  type: ServiceRegistration['type'];
  url: string;
  /** '' where services sign in. */
  hash: string;
  /** Milliseconds since 1970. */
  lastHeartbeat: number;
  heartbeats: number;
  /** What it said of itself. */
  registration: Partial<ServiceRegistration>;
}

/** The link of a project to a VCS server. The refresh token is the first one, for ever. */
export interface VcsLink {
  server: string;
  accessToken: string;
  refreshToken: string;
  /** When the API stored the access token: Unix seconds. */
  created: number;
}

/** A VCS server of a project with a credential of its own, as a YAML file describes it. */
export interface VcsProject {
  name: string;
  type: string;
  url: string;
  /** Where its API is; '' for that of the type. */
  urlApi: string;
  username: string;
  token: string;
  options: {
    disableStatus?: boolean | undefined;
    disableStatusDetails?: boolean | undefined;
    disableWebhooks?: boolean | undefined;
  };
}

export interface Workflow {
  id: number;
  name: string;
  hook: NodeHook;
  /** Where its application's code is; a workflow of a plain webhook has none. */
  application?: { server: string; repo: string };
  /** Which runs the API keeps: those of branches that are there, or all. */
  keepsRunsOf: 'all' | 'existing branches';
  runs: WorkflowRun[];
  /** Marked as deleted; some lists show them until the next purge. */
  removedRuns: WorkflowRun[];
}

export interface Project {
  key: string;
  links: Map<string, VcsLink>;
  vcsProjects: Map<string, VcsProject>;
  workflows: Map<string, Workflow>;
  /** By name: the values of an integration, passwords in clear. */
  integrations: Map<string, Record<string, { value: string; type: string }>>;
}

export type NodeStatus = 'Building' | 'Success' | 'Fail';
export type RunStatus = 'Pending' | NodeStatus;

/** A run that a service asked for. */
export interface WorkflowRun {
  id: number;
  number: number;
  project: string;
  workflow: string;
  /** The hook event, as it was sent. */
  event: HookEvent;
  askedAt: string;
  status: RunStatus;
  /** What went wrong while it was built; for people. */
  problems: string[];
}

/** What removed the runs of a branch, or tried to. */
export interface BranchRemoval {
  at: string;
  /** A call for the branch, a call for one run, or the API's rule. */
  by: 'branch' | 'run' | 'rule';
  project: string;
  workflow: string;
  branch: string;
  /** How many runs were removed. */
  runs: number;
}
