import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchCase, Row } from '../bench-case';
import { summarize } from '../measure/statistics';
import { branchName, newToken } from '../processes/bitbucket-world';
import { type BitbucketCalls, totalOf } from '../stage/bench-bitbucket';
import { openVcsStage, type VcsStage } from '../stage/vcs-stage';

const AT_ONCE = 50;
const LATENCY_MS = 10;
const QUIET_LOOKS = 5;
/** As long as `vcs` may answer a listing from memory. */
const KEPT_MS = 3_000;

/** What the fewest calls are, and why none of them can be left out. */
interface Errand {
  measured: string;
  fewest: BitbucketCalls;
  why: string;
  /** Not counted; of all rounds before any is. */
  before?(stage: VcsStage, round: number): Promise<unknown>;
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

/** Pushes to a branch with an open pull request. */
const PUSH: Errand = {
  measured: 'a push with its statuses, not the first of the day: all that the API asks and tells',
  fewest: { branch: 1, commit: 1, repository: 1, status: 2, statuses: 1, pullrequests: 1 },
  why: 'each is another resource; the API tells the start twice and the end three times, which are two statuses',
  // Once a day the webhooks of a repository are looked at, and the commits of its other pull
  // requests are asked for.
  before: push,
  run: push,
};

async function push(stage: VcsStage, round: number): Promise<void> {
  const repo = `acme/small-${round}`;
  // As it is in a project: the token stays.
  const token = newToken('even', 1_000_000);
  const hash = await stage.bitbucket.push(repo, 1);
  const get = (path: string): Promise<unknown> => stage.vcs({ path, token });
  const tell = (status: string): Promise<unknown> =>
    stage.vcs({ method: 'POST', path: '/status', token, body: nodeRun(repo, hash, status) });
  // In the order, and as often, as the API does it.
  await get(`/repos/${repo}/branches/?branch=${encodeURIComponent(branchName(1))}`);
  await get(`/repos/${repo}/commits/${hash}`);
  await get(`/repos/${repo}`);
  await tell('Building');
  await tell('Building');
  await get(`/repos/${repo}/commits/${hash}/statuses`);
  await tell('Success');
  const open = (await get(`/repos/${repo}/pullrequests`)) as {
    head: { branch: { latest_commit: string } };
  }[];
  if (!open.some(({ head }) => head.branch.latest_commit === hash))
    throw new Error('No pull request has the commit that was pushed');
  await tell('Success');
  await tell('Success');
}

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
  measured: `${AT_ONCE} equal reads of 1,000 branches at once`,
  fewest: { branches: 10 },
  why: 'what one of them takes',
  before: (stage, round) => readBranches(stage, round, 1),
  run: (stage, round) => readBranches(stage, round, AT_ONCE),
};

async function readBranches(stage: VcsStage, round: number, times: number): Promise<void> {
  const token = newToken('even', 2_000_000);
  const path = `/repos/acme/shared-${round}/branches`;
  const all = await Promise.all(
    Array.from({ length: times }, () => stage.vcs<unknown[]>({ path, token })),
  );
  if (all.some((list) => list.length !== 1_000)) throw new Error('A list is not whole');
}

const ERRANDS = [LINK, PUSH, WEBHOOK, SHARED];

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

/**
 * Bitbucket grants an OAuth consumer 1,000 calls an hour: what they are spent for decides how many
 * projects it serves.
 */
export const calls: BenchCase = {
  name: 'calls',
  what: 'calls of Bitbucket that a link, a push with statuses, a webhook take',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openVcsStage({ folder, latencyMs: LATENCY_MS });
    try {
      const rows: Row[] = [];
      for (const { before } of ERRANDS)
        for (let round = 0; round < pairs; round += 1) await before?.(stage, round);
      // What those reads left in memory for a moment serves none of the rounds.
      await sleep(KEPT_MS);
      for (const errand of ERRANDS) {
        const totals: number[] = [];
        let spent: BitbucketCalls = {};
        await settled(stage);
        for (let round = 0; round < pairs; round += 1) {
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

function rowOf(errand: Errand, totals: number[], spent: BitbucketCalls): Row {
  const needed = totalOf(errand.fewest);
  const words = Object.entries(spent).map(([name, count]) => `${count} ${name}`);
  return {
    case: 'calls',
    measured: errand.measured,
    unit: 'calls',
    ours: summarize(totals),
    limit: summarize([needed]),
    limitName: `the fewest that can do it: ${errand.why}`,
    ratio: summarize(totals.map((total) => total / needed)),
    goal: 'equal',
    reached: totals.every((total) => total <= needed),
    notes: [words.join(', ')],
  };
}

/**
 * The calls until none has come for a while, longer than Bitbucket takes for one: with what follows
 * after an answer.
 */
async function settled(stage: VcsStage): Promise<BitbucketCalls> {
  const all: BitbucketCalls = {};
  for (let quiet = 0; quiet < QUIET_LOOKS; quiet += 1) {
    await sleep(LATENCY_MS * 2);
    const more = await stage.bitbucket.calls();
    for (const [name, count] of Object.entries(more)) all[name] = (all[name] ?? 0) + count;
    if (totalOf(more) > 0) quiet = -1;
  }
  return all;
}
