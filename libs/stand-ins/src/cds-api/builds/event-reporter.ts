import type { VcsCommitStatus, VcsPullRequest } from '@cds/wire';
import type { NodeStatus } from '../model';
import { buildEvent, longStatusName } from './build-event';
import { postStatus, type ReporterOf } from './reporter';

/**
 * 0.40 to 0.43 (https://github.com/ovh/cds/blob/0.41.0/engine/api/repositoriesmanager/events.go):
 * looks up branch and commit, reports the start (twice, as the real one does), sends a status that
 * it does not find listed, comments on the pull requests of a failed build, and reports the end.
 */
export const reportByEvents: ReporterOf = ({ vcs, credential, run, application }) => {
  const { repo } = application;
  const hash = run.event.payload['git.hash'] ?? '';
  const branch = run.event.payload['git.branch'];
  const tag = run.event.payload['git.tag'];
  const tell = (status: NodeStatus, kind?: 'made-up'): Promise<void> =>
    postStatus({ vcs, run }, status, buildEvent(run, application, status, kind));

  async function resyncStatus(result: 'Success' | 'Fail'): Promise<void> {
    // The tag goes out as it is, slashes and all.
    const listed = (await vcs(
      'GET',
      `/repos/${repo}/commits/${tag ?? hash}/statuses`,
    )) as VcsCommitStatus[];
    const isListed = listed.some(
      ({ description, state }) => description === longStatusName(run) && state === result,
    );
    if (!isListed) {
      await credential.lookAtServer(vcs);
      await tell(result, 'made-up');
    }
    const pullRequests = (await vcs('GET', `/repos/${repo}/pullrequests`)) as VcsPullRequest[];
    if (result === 'Fail')
      for (const { id } of pullRequests.filter((one) => isHead(one, hash)))
        await vcs(
          'POST',
          `/repos/${repo}/pullrequests/${id}/comments`,
          `[${run.workflow} #${run.number}] failed`,
        );
  }

  return {
    async prepare() {
      if (branch) await vcs('GET', `/repos/${repo}/branches/?branch=${encodeURIComponent(branch)}`);
      await vcs('GET', `/repos/${repo}/commits/${hash}`);
      await vcs('GET', `/repos/${repo}`);
    },
    async started() {
      await tell('Building');
      await tell('Building');
    },
    async ended(result) {
      await resyncStatus(result).catch((error: unknown) => run.problems.push(String(error)));
      await tell(result);
    },
  };
};

/** The API compares all forty digits. */
function isHead({ head, merged, closed }: VcsPullRequest, hash: string): boolean {
  return head.branch.latest_commit === hash && !merged && !closed;
}
