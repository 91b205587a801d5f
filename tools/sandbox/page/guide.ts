import type { Task } from '@cds/wire';
import type { BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';

/**
 * What a person who opens the page works with; the story has a project and a repository of its own.
 */
export const GUIDE = {
  project: 'DEMO',
  workflow: 'demo',
  repo: 'acme/payments',
  branch: 'my-branch',
} as const;

/**
 * Which steps of the guide are done, read off what the two sides hold: nothing else remembers them.
 */
export function guide(bitbucket: BitbucketStandIn, api: CdsApiStandIn, tasks: Task[]) {
  const project = api.projects().find(({ key }) => key === GUIDE.project);
  const { branches, webhooks, statuses } = bitbucket.repository(GUIDE.repo);
  const runs = project?.workflows.get(GUIDE.workflow)?.runs.length ?? 0;
  const ofGuide = (task: Task): boolean =>
    task.type === 'BranchDeletion' && task.config?.['project']?.value === GUIDE.project;
  return {
    ...GUIDE,
    done: {
      link: Boolean(project && project.links.size + project.vcsProjects.size),
      workflow: webhooks.size > 0,
      push: bitbucket
        .deliveries()
        .some(({ repository, attempts }) => repository === GUIDE.repo && taken(attempts)),
      status: [...statuses.values()].some((byKey) =>
        [...byKey.values()].some(
          ({ name, state }) =>
            name.replace(/^CDS\//, '').startsWith(`${GUIDE.project}-`) && state !== 'INPROGRESS',
        ),
      ),
      deleted:
        tasks.some(ofGuide) ||
        removed(api) ||
        (api.branchRemoval === 'rule' && runs > 0 && !branches.has(GUIDE.branch)),
      removed: removed(api),
      forged: bitbucket.forgeries().some(({ status }) => status === 401),
    },
  };
}

function taken(attempts: { outcome: number | string }[]): boolean {
  return attempts.some(({ outcome }) => outcome === 200);
}

function removed(api: CdsApiStandIn): boolean {
  return api.removals().some(({ project, runs }) => project === GUIDE.project && runs > 0);
}
