import type { VcsCommitStatus, VcsPullRequest } from '@cds/wire';
import type { NodeStatus, WorkflowRun } from '../model';
import { postStatus, type ReporterDeps, type ReporterOf } from './reporter';

/** What differs among the versions that compare. */
export interface StatusForm {
  /**
   * The name of the status of a run, which is compared with the `description` of those that are
   * listed.
   */
  nameOf(run: WorkflowRun): string;
  bodyOf(deps: ReporterDeps, status: NodeStatus): unknown;
  isSameCommit(one: string, other: string): boolean;
}

/**
 * 0.50 and later
 * (https://github.com/ovh/cds/blob/v0.57.0/engine/api/workflow/workflow_run_event.go): at the start
 * and at the end the statuses of the commit are listed, and one is sent unless it is there; a
 * failed build is commented on at its pull request.
 */
export function reportByComparing(form: StatusForm): ReporterOf {
  return (deps) => {
    const { vcs, credential, run, application } = deps;
    const { payload } = run.event;
    const hash = payload['git.hash'] ?? '';
    const before = payload['git.hash.before'];
    const branch = payload['git.branch'];
    const repository = `/repos/${application.repo}`;

    async function compare(status: NodeStatus): Promise<void> {
      // The tag goes out as it is, slashes and all.
      const ref = payload['git.tag'] ?? hash;
      const listed = (await vcs(
        'GET',
        `${repository}/commits/${ref}/statuses`,
      )) as VcsCommitStatus[];
      const name = form.nameOf(run).slice(0, credential.comparedCharacters);
      const found = listed.find(({ description }) => description === name);
      if (status !== 'Building' && found?.state === status) return;
      await credential.lookAtServer(vcs);
      if (credential.statuses.areSent)
        await postStatus({ vcs, run }, status, form.bodyOf(deps, status));
    }

    async function comment(result: 'Success' | 'Fail'): Promise<void> {
      await credential.lookAtServer(vcs);
      const listed = (await vcs('GET', `${repository}/pullrequests`)) as VcsPullRequest[];
      const head = listed.find((one) => isHead(one, branch, hash));
      if (result !== 'Fail' || !head) return;
      await vcs('POST', `${repository}/pullrequests/comments`, {
        ...{ id: head.id, change_id: '', revision: hash },
        message: `[${run.workflow} #${run.number}] failed`,
      });
    }

    function isHead({ head, merged, closed }: VcsPullRequest, of = '', commit: string): boolean {
      const { display_id: name, latest_commit: latest } = head.branch;
      return name === of && form.isSameCommit(latest, commit) && !merged && !closed;
    }

    /** Nothing of this changes what the run comes to. */
    async function tried(work: Promise<void>): Promise<void> {
      await work.catch((error: unknown) => run.problems.push(String(error)));
    }

    return {
      async prepare() {
        await vcs('GET', repository);
        await vcs('GET', `${repository}/commits/${hash}`);
        if (branch && before && /[1-9a-f]/.test(before))
          await tried(
            vcs(
              'GET',
              `${repository}/branches/commits?branch=${queryEscaped(branch)}&since=${before}&until=${hash}`,
            ).then(() => undefined),
          );
      },
      started: () => tried(compare('Building')),
      async ended(result) {
        await tried(compare(result));
        await tried(comment(result));
      },
    };
  };
}

/** As Go's `url.QueryEscape`. */
function queryEscaped(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', '+');
}

/** From 0.57 on: a hash of twelve digits is compared with the beginning of the other. */
export function isSameCommit(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  return short.length === long.length
    ? short === long
    : short.length === 12 && long.startsWith(short);
}
