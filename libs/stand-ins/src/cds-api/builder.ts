import { setTimeout as sleep } from 'node:timers/promises';
import type { VcsCommitStatus, VcsPullRequest } from '@cds/wire';
import { buildEvent, statusName, type NodeStatus } from './build-event';
import type { WorkflowRun } from './model';
import type { VcsCalls } from './vcs-calls';

export interface BuilderDeps {
  vcs: VcsCalls;
  /** How long the work of a build takes. */
  durationMs: () => number;
  result: () => 'Success' | 'Fail';
  signal: AbortSignal;
}

/** https://github.com/ovh/cds/blob/0.41.0/engine/api/repositoriesmanager/events.go */
const EVENT_ATTEMPTS = 3;

/**
 * Builds a run the way the API does it, as far as `vcs` is concerned: looks up branch and commit, tells of the
 * start (twice, as it does), makes up for a status that it does not find listed, comments on the pull requests of
 * a failed build, tells of the end.
 */
export async function build(
  deps: BuilderDeps,
  run: WorkflowRun,
  application: { server: string; repo: string },
): Promise<void> {
  const { server, repo } = application;
  const vcs = deps.vcs.ofProject(run.project, server);
  const hash = run.event.payload['git.hash'] ?? '';
  const branch = run.event.payload['git.branch'];
  const tag = run.event.payload['git.tag'];
  // Events go a way of their own: each is tried three times at once, then dropped, and the run does
  // not notice.
  const tell = async (status: NodeStatus, kind?: 'made-up'): Promise<void> => {
    for (let attempt = 1; attempt <= EVENT_ATTEMPTS; attempt += 1) {
      try {
        await vcs('POST', '/status', buildEvent(run, application, status, kind));
        return;
      } catch (error) {
        if (attempt === EVENT_ATTEMPTS)
          run.problems.push(`the event ${status} was dropped: ${String(error)}`);
      }
    }
  };

  run.status = 'Building';
  if (branch) await vcs('GET', `/repos/${repo}/branches/?branch=${encodeURIComponent(branch)}`);
  await vcs('GET', `/repos/${repo}/commits/${hash}`);
  await vcs('GET', `/repos/${repo}`);
  await tell('Building');
  await tell('Building');
  await sleep(deps.durationMs(), undefined, { signal: deps.signal });

  const result = deps.result();
  // Whether `vcs` hears of it does not change what the run came to.
  await resyncStatus().catch((error: unknown) => run.problems.push(String(error)));
  await tell(result);
  run.status = result;

  async function resyncStatus(): Promise<void> {
    // The tag goes out as it is, slashes and all.
    const listed = (await vcs(
      'GET',
      `/repos/${repo}/commits/${tag ?? hash}/statuses`,
    )) as VcsCommitStatus[];
    const isListed = listed.some(
      ({ description, state }) => description === statusName(run) && state === result,
    );
    if (!isListed) {
      await vcs('GET', '');
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
}

/** The API compares all forty digits. */
function isHead({ head, merged, closed }: VcsPullRequest, hash: string): boolean {
  return head.branch.latest_commit === hash && !merged && !closed;
}
