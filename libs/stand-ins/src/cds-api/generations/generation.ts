import type { Access, AccessDeps } from '../access';
import type { ErrorBody } from '../api-refusal';
import type { CredentialKind } from '../credentials/credential';
import type { ReporterOf } from '../builds/reporter';
import type { WorkflowRun } from '../model';
import type { ServiceRegistry } from '../service-registry';

/** The versions that the stand-in speaks: one of each generation of the protocol. */
export const CDS_VERSIONS = ['0.41', '0.50', '0.51', '0.57'] as const;
export type CdsVersion = (typeof CDS_VERSIONS)[number];

/** What an API needs to know its services, of any generation. */
export interface GenerationDeps extends AccessDeps {
  registry: ServiceRegistry;
  sharedInfraToken: () => string;
  /** What a service that is not known gets from an API that knows them by hashes. */
  newHash: () => string;
}

/**
 * What differs from one CDS to another. The rest of the stand-in asks it, and never for a version.
 */
export interface Generation {
  cds: CdsVersion;
  /** In `/mon/version`. */
  version: string;
  errorBody: ErrorBody;
  createAccess(deps: GenerationDeps): Access;
  /** How a project says who it is at a VCS server: the first of these that it has counts. */
  credentials: readonly [CredentialKind, ...CredentialKind[]];
  /** How the sandbox and tests give a project a VCS server, where several ways are known. */
  connectsBy: 'link' | 'VCS project';
  /** What the server is called in projects where a test does not say so. */
  vcsServer: string;
  /** What `vcs` is told of a build. */
  reporter: ReporterOf;
  /** The name of the status of a run. */
  statusName(run: WorkflowRun): string;
  /** How often a call is made in all where the answer is 409 or more, or none. */
  attempts: number;
  /** A client of `vcs` is kept until the API is restarted, with the services of its first call. */
  keepsVcsClients: boolean;
  /** What a hook that is not saved yet carries beside its configuration. */
  hookFields(): Record<string, unknown>;
  /** It asks for the default branch before it gives a workflow a webhook. */
  looksAtDefaultBranch: boolean;
  /** Importing a VCS project asks `vcs` for its repositories, and fails with its error. */
  triesImportedProjects: boolean;
  hasConfigVcs: boolean;
  hasConfigVcsGerrit: boolean;
  hasHookExecutions: boolean;
  /** Who removes the runs of a branch: `hooks` by a call, or the API by its rule. */
  branchRemoval: 'service' | 'rule';
  /** The router knows `%2F` in a path for a part of a name. */
  matchesEscapedSlash: boolean;
}
