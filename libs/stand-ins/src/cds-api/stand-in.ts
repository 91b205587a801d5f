import type { Task, VcsRepo } from '@cds/wire';
import type { Controls } from '../http/control';
import type { FaultSwitch } from '../http/faults';
import type { RequestLog } from '../http/request-log';
import type { IncomingHttpHeaders } from 'node:http';
import type { CdsVersion, Generation } from './generations/generation';
import type {
  BranchRemoval,
  Project,
  RegisteredService,
  VcsLink,
  VcsProject,
  Workflow,
  WorkflowRun,
} from './model';
import type { OutgoingHooks } from './outgoing-hooks';
import type { ServiceCall } from './service-caller';
import type { Sessions } from './sessions/sessions';
import type { NewVcsProject } from './vcs-projects';
import type { Workflows } from './workflows';

export interface CdsApiOptions {
  /** Which CDS it is; 0.41 when not given. */
  cds?: CdsVersion | undefined;
  host?: string;
  /** 0 (the default) takes a free one. */
  port?: number;
  /** Where browsers reach it, if not where it listens. */
  publicUrl?: string;
  /** Where the CDS UI is: the browser is sent there when a project was linked. */
  uiUrl?: string;
  /** The callback of the OAuth consumer, where browsers do not reach `publicUrl`. */
  callbackUrl?: string;
  sharedInfraToken?: string;
  /** Another one than that of `cds`. */
  version?: string;
  /** What every service that is not known gets; each another one when not given. */
  hash?: string;
  /** How long a build takes. */
  buildDurationMs?: number;
  /** Which runs workflows keep that do not say so; all when not given. */
  keepsRunsOf?: Workflow['keepsRunsOf'];
  /** A CDS from 0.52 on finds branches with an escaped slash. */
  matchesEscapedSlash?: boolean;
  /**
   * Whether it asks `vcs` for new and deleted branches when a hook polls, too. No CDS from 0.40 to
   * 0.43 does: it asks for pushes and pull requests alone.
   */
  asksForDeletions?: boolean;
  /** How long a service may be silent before it is forgotten (ms); 180,000 when not given. */
  forgottenAfterMs?: number;
}

/**
 * A stand-in of the CDS API, on both sides: what it answers to services, and what it asks of them.
 */
export interface CdsApiStandIn {
  url: string;
  port: number;
  cds: CdsVersion;
  /** How a project gets a VCS server here: a user links it, or it has a credential of its own. */
  connectsBy: Generation['connectsBy'];
  /** Who removes the runs of a branch that is gone. */
  branchRemoval: Generation['branchRemoval'];
  /** What the VCS server is called where nobody says so. */
  vcsServer: string;
  /** The callback for the OAuth consumer. */
  callbackUrl: string;
  sharedInfraToken: string;
  /** What `api.token` of a service has to be: a consumer's token, or the shared.infra token. */
  tokenOf(type: RegisteredService['type'], name: string): string;
  hasSessions: boolean;
  /** @throws Error by a CDS without sessions: 0.41 */
  sessions: Sessions;
  /** What services did that the API does not mind and an operator would. */
  violations(): string[];
  /** The name of the service that sent these headers; '' when it is nobody. */
  serviceOf(headers: IncomingHttpHeaders): string;
  /** The name of the status of a run's build. */
  statusName(run: WorkflowRun): string;
  faults: FaultSwitch;
  requests: RequestLog;
  controls: Controls;
  workflows: Workflows;
  outgoing: OutgoingHooks;
  services(): RegisteredService[];
  /** Links a project as a user does it; returns the page that was opened. */
  linkProject(project: string, server?: string): Promise<{ state: string; url: string }>;
  /** Asks `vcs` for the page only: the rest is for a person with a browser. */
  beginLink(project: string, server?: string): Promise<{ state: string; url: string }>;
  /** As `cdsctl project vcs import` does it. @throws ApiRefusal by a CDS before 0.51 */
  importVcsProject(asked: NewVcsProject): Promise<VcsProject>;
  /**
   * Forgets the tokens of a project. @throws Error while a workflow uses them, as CDS refuses it
   */
  unlink(project: string, server?: string): void;
  projects(): Project[];
  vcsLink(project: string, server?: string): VcsLink;
  repositories(project: string, server?: string): Promise<VcsRepo[]>;
  callVcs(
    project: string,
    server: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<unknown>;
  callHooks(method: string, path: string, body?: unknown): Promise<unknown>;
  /** @param look.unlogged not among the calls: for who looks every second */
  tasks(look?: { unlogged: boolean }): Promise<Task[]>;
  /** The runs of a workflow that were not removed, oldest first. */
  runs(project: string, workflow: string): WorkflowRun[];
  removals(): BranchRemoval[];
  /**
   * What the API does each quarter of an hour from 0.50 on: removes runs whose branch is gone, of
   * workflows whose rule says so. @throws ApiRefusal by a CDS before
   */
  applyRetentionRule(): Promise<BranchRemoval[]>;
  /** Deletes what is marked as deleted. */
  purge(): void;
  calls(): ServiceCall[];
  onCall(listener: (call: ServiceCall) => void): void;
  build(): { result: 'Success' | 'Fail'; durationMs: number };
  isAway(): boolean;
  setBuild(options: {
    result?: 'Success' | 'Fail' | undefined;
    durationMs?: number | undefined;
  }): void;
  /** 500 with CDS's body, for so many requests whose URL matches. */
  failWithCdsError(options?: { count?: number; path?: string }): void;
  /** The page of a proxy whose API is down. */
  failAsProxy(options?: { status?: number; count?: number; path?: string }): void;
  /** As after 180 s without a heartbeat: of all services, or of one type. */
  forgetServices(type?: RegisteredService['type']): void;
  /** The API is restarted: it makes its clients of `vcs` anew. */
  restart(): void;
  setMaintenance(on: boolean): void;
  /** An operator gave it another token: registrations with the one before are refused. */
  setSharedInfraToken(token: string): void;
  /** It is another version from now on. */
  setVersion(version: string): void;
  state(): Record<string, unknown>;
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}
