import type { VcsBranch } from '@cds/wire';
import type { BranchRemoval, Project, Workflow, WorkflowRun } from './model';
import type { VcsCalls } from './vcs-calls';

/** Marks runs as deleted, and says of which branches they were. */
export function removeRuns(
  workflow: Workflow,
  runs: readonly WorkflowRun[],
  { project, by }: Pick<BranchRemoval, 'project' | 'by'>,
): BranchRemoval[] {
  const removed = workflow.runs.filter((run) => runs.includes(run));
  workflow.runs = workflow.runs.filter((run) => !runs.includes(run));
  workflow.removedRuns.push(...removed);
  const branches = new Set(removed.map(branchOf));
  return [...branches].map((branch) => ({
    ...{ at: new Date().toISOString(), by, project, workflow: workflow.name, branch },
    runs: removed.filter((run) => branchOf(run) === branch).length,
  }));
}

const branchOf = ({ event }: WorkflowRun): string => event.payload['git.branch'] ?? '';

/**
 * Removes runs whose branch is gone, of workflows whose rule is `return has_git_branch == "false"
 * or git_branch_exist ~= "false"`: what the API does each quarter of an hour where an administrator
 * has switched its rules on
 * (https://github.com/ovh/cds/blob/v0.57.0/engine/api/purge/purge_run.go). A run without a branch,
 * of a tag for instance, stays; where `vcs` does not answer, all do.
 */
export async function applyRetentionRule(
  projects: readonly Project[],
  vcs: VcsCalls,
): Promise<BranchRemoval[]> {
  const removals: BranchRemoval[] = [];
  for (const { key, workflows } of projects)
    for (const workflow of workflows.values()) {
      const { application, keepsRunsOf } = workflow;
      if (!application || keepsRunsOf === 'all') continue;
      const { server, repo } = application;
      const path = `/repos/${repo}/branches?limit=0`;
      const branches = (await vcs.ofProject(key, server)('GET', path)) as VcsBranch[];
      const existing = new Set(branches.map(({ display_id: name }) => name));
      const gone = workflow.runs.filter(
        (run) => branchOf(run) !== '' && !existing.has(branchOf(run)),
      );
      removals.push(...removeRuns(workflow, gone, { project: key, by: 'rule' }));
    }
  return removals;
}
