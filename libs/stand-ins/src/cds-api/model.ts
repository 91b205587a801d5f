import type { HookEvent, NodeHook, ServiceRegistration } from '@cds/wire';

/** A service that registered. */
export interface RegisteredService {
  name: string;
  type: ServiceRegistration['type'];
  url: string;
  hash: string;
  /** Milliseconds since 1970. */
  lastHeartbeat: number;
  heartbeats: number;
  registration: ServiceRegistration;
}

/** The link of a project to a VCS server. The refresh token is the first one, for ever. */
export interface VcsLink {
  server: string;
  accessToken: string;
  refreshToken: string;
  /** When the API stored the access token: Unix seconds. */
  created: number;
}

export interface Workflow {
  id: number;
  name: string;
  hook: NodeHook;
  /** Where its application's code is; a workflow of a plain webhook has none. */
  application?: { server: string; repo: string };
  runs: WorkflowRun[];
}

export interface Project {
  key: string;
  links: Map<string, VcsLink>;
  workflows: Map<string, Workflow>;
  /** By name: the values of an integration, passwords in clear. */
  integrations: Map<string, Record<string, { value: string; type: string }>>;
}

export type RunStatus = 'Pending' | 'Building' | 'Success' | 'Fail';

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

/** A call that removed the runs of a branch, or tried to. */
export interface BranchRemoval {
  at: string;
  project: string;
  workflow: string;
  branch: string;
  /** How many runs were removed. */
  runs: number;
}
