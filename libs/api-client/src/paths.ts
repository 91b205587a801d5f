import { ApiError } from './api-error';

export interface WorkflowRef {
  /** Key of the project. */
  project: string;
  workflow: string;
  /** Sent as CDS's `Request-ID`: an API that knows the header logs a uuid as its own. */
  requestId?: string | undefined;
}

export interface RunRef extends WorkflowRef {
  /** Of the workflow's run. */
  number: number;
}

/** One run of an outgoing hook. */
export interface HookRunRef extends RunRef {
  /** Its uuid. */
  hookRun: string;
}

/** A node of a workflow, in one run of it. */
export interface NodeRef extends RunRef {
  /** Its name. */
  node: string;
}

export function workflowPath(project: string, workflow: string): string {
  return `/project/${segment(project)}/workflows/${segment(workflow)}`;
}

export function runPath({ project, workflow, number }: RunRef): string {
  return `${workflowPath(project, workflow)}/runs/${number}`;
}

export function hookRunPath({ hookRun, ...run }: HookRunRef): string {
  return `${runPath(run)}/hooks/${segment(hookRun)}`;
}

/**
 * One path segment. `.` and `..` would lead to another route; half a character has no form in a
 * URL.
 * @throws ApiError `refused`
 */
export function segment(value: string): string {
  if (value === '' || value === '.' || value === '..' || /\p{Surrogate}/u.test(value)) {
    const shown = JSON.stringify(value.slice(0, 200));
    throw new ApiError('refused', `${shown} cannot be part of a URL of the CDS API`);
  }
  return encodeURIComponent(value);
}
