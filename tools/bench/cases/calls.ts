import { waitFor } from '@cds/testing';
import type { Bench, BenchCase, Row } from '../bench-case';
import { summarize } from '../measure/statistics';
import { hashOf } from '../processes/bitbucket-world';
import { type BitbucketCalls, totalOf } from '../stage/bench-bitbucket';
import { openVcsStage, type VcsStage } from '../stage/vcs-stage';

const AT_ONCE = 50;
const LATENCY_MS = 20;

/** What the fewest calls are, and why none of them can be left out. */
interface Errand {
  measured: string;
  fewest: BitbucketCalls;
  why: string;
  run(stage: VcsStage, round: number): Promise<unknown>;
}

const LINK: Errand = {
  measured: 'linking a project, up to its list of 1,000 repositories in 10 workspaces',
  fewest: { token: 1, workspaces: 1, repositories: 10 },
  why: 'the code has to be exchanged; there is no list over all workspaces; a page holds 100',
  async run(stage) {
    const code = stage.freshToken();
    const body = { token: 'state', secret: code };
    const linked = await stage.vcs<{ token: string }>({
      method: 'POST',
      path: '/authorize',
      token: code,
      body,
    });
    const repos = await stage.vcs<unknown[]>({ path: '/repos', token: linked.token });
    if (repos.length !== 1_000) throw new Error(`${repos.length} repositories were listed`);
  },
};

const PUSH: Errand = {
  measured: 'a push: its branch, commit and repository, the start told twice, the end three times',
  // The main branch of a repository is in the repository itself.
  fewest: { branch: 1, commit: 1, repository: 1, status: 2, statuses: 1, pullrequests: 10 },
  why: 'each is another resource; two states are two statuses; 500 pull requests are ten pages',
  async run(stage, round) {
    const repo = `acme/pushed-${round}`;
    const hash = hashOf(repo, 0);
    const token = stage.freshToken();
    const get = (path: string): Promise<unknown> => stage.vcs({ path, token });
    const tell = (status: string): Promise<unknown> =>
      stage.vcs({ method: 'POST', path: '/status', token, body: nodeRun(repo, hash, status) });
    // In the order, and as often, as the API does it.
    await get(`/repos/${repo}/branches/?branch=main`);
    await get(`/repos/${repo}/commits/${hash}`);
    await get(`/repos/${repo}`);
    await tell('Building');
    await tell('Building');
    await get(`/repos/${repo}/commits/${hash}/statuses`);
    await tell('Success');
    await get(`/repos/${repo}/pullrequests`);
    await tell('Success');
    await tell('Success');
  },
};

const WEBHOOK: Errand = {
  measured: 'creating a webhook',
  fewest: { hooks: 1, 'new hook': 1 },
  why: 'Bitbucket takes the same URL twice, so that a repeated call would double the webhook: the list is looked at first',
  async run(stage, round) {
    const path = `/repos/acme/hooked-${round}/hooks`;
    const url = `https://hooks.example.com/webhook/bench-${round}`;
    const hook = { id: '', name: '', events: null, method: 'POST', url, workflow: true };
    await stage.vcs({ method: 'POST', path, token: stage.freshToken(), body: hook });
  },
};

const SHARED: Errand = {
  measured: `${AT_ONCE} equal reads of a repository's branches at once`,
  fewest: { repository: 1, branches: 10 },
  why: 'what one of them takes',
  async run(stage, round) {
    const token = stage.freshToken();
    const path = `/repos/acme/shared-${round}/branches`;
    const all = await Promise.all(
      Array.from({ length: AT_ONCE }, () => stage.vcs<unknown[]>({ path, token })),
    );
    if (all.some((list) => list.length !== 1_000)) throw new Error('A list is not whole');
  },
};

function nodeRun(repo: string, hash: string, status: string): object {
  return {
    type_event: 'sdk.EventRunWorkflowNode',
    project_key: 'BENCH',
    workflow_name: 'build',
    payload: {
      NodeName: 'build',
      Status: status,
      Number: 1,
      SubNumber: 0,
      Hash: hash,
      RepositoryFullName: repo,
      BranchName: 'main',
    },
  };
}

/** Bitbucket grants an OAuth consumer 1,000 calls an hour: what they are spent for decides how many projects it serves. */
export const calls: BenchCase = {
  name: 'calls',
  what: 'calls of Bitbucket that a link, a push with statuses, a webhook take',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openVcsStage({ folder, latencyMs: LATENCY_MS });
    try {
      const rows: Row[] = [];
      for (const errand of [LINK, PUSH, WEBHOOK, SHARED]) {
        const totals: number[] = [];
        let spent: BitbucketCalls = {};
        for (let round = 0; round < pairs; round += 1) {
          await stage.bitbucket.calls();
          await errand.run(stage, round);
          spent = await settled(stage);
          totals.push(totalOf(spent));
        }
        say(`${errand.measured}: ${JSON.stringify(spent)}`);
        rows.push(rowOf(errand, totals, spent));
      }
      return rows;
    } finally {
      await stage.close();
    }
  },
};

/** With what follows after the answers. */
async function settled(stage: VcsStage): Promise<BitbucketCalls> {
  const all: BitbucketCalls = {};
  await waitFor(
    async () => {
      const more = await stage.bitbucket.calls();
      for (const [name, count] of Object.entries(more)) all[name] = (all[name] ?? 0) + count;
      return totalOf(more) === 0;
    },
    { what: 'calls of Bitbucket to end', intervalMs: 100, timeoutMs: 10_000 },
  );
  return all;
}
