import type { Bench, BenchCase, Row } from '../bench-case';
import { compareReads } from '../measure/compare-reads';
import { BRANCHES, PULL_REQUESTS } from '../processes/bitbucket-world';
import { openVcsStage } from '../stage/vcs-stage';

const LATENCY_MS = 100;
const WORST_RATIO = 1.5;

interface Branch {
  display_id: string;
  latest_commit: string;
}

interface PullRequest {
  id: number;
  head: { branch: { latest_commit: string } };
}

/** The long lists of one repository. */
export const branches: BenchCase = {
  name: 'branches',
  what: '1,000 branches, and 500 pull requests, Bitbucket at 100 ms a call',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openVcsStage({ folder, latencyMs: LATENCY_MS });
    const common = { stage, pairs, say };
    // Another repository each time, with other commits: what is known of one says nothing of the
    // next.
    const repoOf = (list: string, round: number): string => `acme/${list}-${round + 1}`;
    try {
      const listed = await compareReads({
        ...common,
        expected: BRANCHES,
        list: 'branches',
        async ours(round) {
          const path = `/repos/${repoOf('branches', round)}/branches`;
          const all = await stage.vcs<Branch[]>({ path, token: stage.freshToken() });
          return all.map(({ display_id: name, latest_commit: hash }) => `${name} ${hash}`);
        },
        async limit(round) {
          const repo = repoOf('branches', round);
          const all = await stage.plain.branches(stage.freshToken(), repo);
          return [...all].map(([name, hash]) => `${name} ${hash}`);
        },
      });
      const opened = await compareReads({
        ...common,
        expected: PULL_REQUESTS,
        list: 'pullrequests',
        async ours(round) {
          const path = `/repos/${repoOf('requests', round)}/pullrequests`;
          const all = await stage.vcs<PullRequest[]>({ path, token: stage.freshToken() });
          return all.map(({ id, head }) => `${id} ${head.branch.latest_commit}`);
        },
        async limit(round) {
          const repo = repoOf('requests', round);
          const all = await stage.plain.pullRequests(stage.freshToken(), repo);
          return [...all].map(([id, hash]) => `${id} ${hash}`);
        },
      });
      const row = (measured: string, { row, calls }: typeof listed): Row => ({
        case: 'branches',
        measured,
        ...row,
        goal: `≤ ${WORST_RATIO} ×`,
        reached: row.ratio.median <= WORST_RATIO,
        notes: [calls],
      });
      return [
        row('GET branches, 1,000 of them', listed),
        row('GET pull requests, 500 open ones, with whole hashes', opened),
      ];
    } finally {
      await stage.close();
    }
  },
};
