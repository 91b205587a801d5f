import type { NewStatus } from '@cds/bitbucket';

/** A build that CDS reported, as a status for Bitbucket. */
export interface ReportedBuild {
  /** `workspace/slug` */
  repository: string;
  hash: string;
  status: NewStatus;
  run: ReportedRun;
  /** What to ask the API for, to learn how the build ended; absent where it cannot be asked. */
  node?: ReportedNode | undefined;
}

/** What tells the runs of one build apart, as far as CDS says it. */
export interface ReportedRun {
  /** The number of the workflow run; 0 where CDS does not say. */
  number: number;
  /** The number of the node's run within the workflow run; 0 where CDS does not say. */
  subNumber: number;
  /** Where the number is not known, what names the run: its URL, or ''. */
  name?: string;
  /** Whether the same run may begin anew, without another `subNumber`: CDS 0.54 and later. */
  restarts?: boolean;
}

/** A node of a workflow run. */
export interface ReportedNode {
  project: string;
  workflow: string;
  number: number;
  node: string;
  branch: string;
}
