import type { Bench, BenchCase, Row } from '../bench-case';
import { compareReads } from '../measure/compare-reads';
import { openVcsStage } from '../stage/vcs-stage';

const LATENCY_MS = 100;
const WORST_RATIO = 1.5;

interface Repo {
  fullname: string;
}

/** What a person waits for who attaches a repository to an application. */
export const repositories: BenchCase = {
  name: 'repositories',
  what: 'all 1,000 repositories of a user in 10 workspaces, Bitbucket at 100 ms a call',
  async run({ folder, pairs, say }: Bench): Promise<Row[]> {
    const stage = await openVcsStage({ folder, latencyMs: LATENCY_MS });
    const rows: Row[] = [];
    try {
      for (const account of ['even', 'uneven']) {
        const read = await compareReads({
          stage,
          pairs,
          say,
          expected: 1_000,
          list: 'repositories',
          // Of a token of its own each time: nothing that was read before serves it.
          ours: async () => {
            const token = stage.freshToken(account);
            const repos = await stage.vcs<Repo[]>({ path: '/repos', token });
            return repos.map(({ fullname }) => fullname);
          },
          limit: () => stage.plain.repositories(stage.freshToken(account)),
        });
        const shares = account === 'even' ? '100 in each' : '550 in one, 50 in each other';
        rows.push({
          case: 'repositories',
          measured: `GET /repos, 1,000 repositories in 10 workspaces (${shares})`,
          ...read.row,
          goal: `≤ ${WORST_RATIO} ×`,
          reached: read.row.ratio.median <= WORST_RATIO,
          notes: [read.calls],
        });
      }
      return rows;
    } finally {
      await stage.close();
    }
  },
};
