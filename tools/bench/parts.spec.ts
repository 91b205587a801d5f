import { printTable } from './report/print-table';
import { alternate } from './measure/alternate';
import { percentile, summarize } from './measure/statistics';
import { usageOf } from './measure/usage';
import {
  accountOf,
  ACCOUNTS,
  branchOfPullRequest,
  BRANCHES,
  newToken,
  PULL_REQUESTS,
  repositories,
  workspaces,
} from './processes/bitbucket-world';
import { formOf } from './stage/fill-backlog';
import { commitOf, readCommit, signedPush } from './processes/deliveries';

describe('the arithmetic', () => {
  it('finds percentiles between values', () => {
    expect(percentile([4, 1, 3, 2], 50)).toBe(2.5);
    expect(percentile([10], 99)).toBe(10);
    expect(() => summarize([])).toThrow('Nothing was measured');
  });

  it('measures in turn, and compares pair by pair', async () => {
    const calls: string[] = [];
    const side = (name: string, value: number) => async (round: number) => {
      calls.push(`${name}${round}`);
      return value * (round + 1);
    };
    const { ratio } = await alternate({ pairs: 2, ours: side('a', 3), limit: side('b', 6) });
    expect(calls).toEqual(['a-1', 'b-1', 'a0', 'b0', 'a1', 'b1']);
    expect(ratio).toEqual({ median: 0.5, min: 0.5, max: 0.5, values: [0.5, 0.5] });
  });

  it('reads what this process has used', () => {
    const { cpuSeconds, memoryMb, peakMemoryMb } = usageOf(process.pid);
    expect(cpuSeconds).toBeGreaterThan(0);
    expect(memoryMb).toBeGreaterThan(10);
    expect(peakMemoryMb).toBeGreaterThanOrEqual(memoryMb * 0.9);
  });
});

describe('the deliveries', () => {
  it('carry where they belong in their commit', () => {
    expect(readCommit(commitOf(3, 49, 123_456))).toEqual([3, 49, 123_456]);
    expect(readCommit(commitOf(-1, 49, 123_456))).toEqual([-1, 49, 123_456]);
    for (const round of [3, -1]) expect(commitOf(round, 49, 123_456)).toMatch(/^[0-9a-f]{40}$/);
    const some = [commitOf(1, 1, 1), commitOf(2, 1, 1), commitOf(1, 2, 1), commitOf(1, 1, 2)];
    expect(new Set(some.map((hash) => hash.slice(0, 12))).size).toBe(4);
  });

  it('are pushes of about 6 KB', () => {
    const hash = commitOf(1, 2, 3);
    const { body, headers } = signedPush({ uuid: 'u', secret: 's' }, hash);
    expect(body.length).toBeGreaterThan(5_500);
    expect(body.length).toBeLessThan(6_500);
    expect(JSON.parse(body.toString()).push.changes[0].new.target.hash).toBe(hash);
    expect(headers['X-Hub-Signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
  });
});

describe('the backlog', () => {
  it('has the form of what was sent when no more than digits and letters differ', () => {
    const form = formOf(['{"id":1,"headers":{"A":["x-1"]}}', '{}']);
    expect(formOf(['{"id":2,"headers":{"A":["y-f"]}}', '{}'])).toBe(form);
    expect(formOf(['{"id":22,"headers":{"A":["x-1"]}}', '{}'])).not.toBe(form);
    expect(formOf(['{"id":1,"headers":{"A":["x-1"]}}'])).not.toBe(form);
  });
});

describe('the table', () => {
  it('shows medians, the spread, the ratio, and whether the goal is reached', () => {
    const table = printTable([
      {
        case: 'intake',
        measured: 'pushes',
        unit: '/s',
        ours: summarize([1000, 2000, 3000]),
        limit: summarize([4000]),
        ratio: summarize([0.5]),
        goal: '≥ 0.75',
        reached: false,
        cpu: { service: 1.234 },
      },
    ]);
    expect(table.split('\n')[2]).toBe(
      '| intake | pushes | 2,000 /s (1,000–3,000) | 4,000 /s (4,000–4,000) | 0.5 (0.5–0.5) | ≥ 0.75 | **no** | service 1.23 s |  |',
    );
  });
});

describe('the world of Bitbucket', () => {
  it('knows its own tokens only', () => {
    expect(accountOf(newToken('even', 7))).toBe('even');
    expect(accountOf(newToken('even', 7).replace('.7.', '.8.'))).toBeUndefined();
    expect(accountOf('somebody')).toBeUndefined();
  });

  it('holds 1,000 repositories in 10 workspaces of either account', () => {
    for (const account of Object.keys(ACCOUNTS)) {
      const slugs = workspaces(account).map(
        ({ workspace }) => (workspace as { slug: string }).slug,
      );
      const names = slugs.flatMap((slug) => repositories(slug).map((one) => one['full_name']));
      expect(slugs).toHaveLength(10);
      expect(new Set(names).size).toBe(1_000);
    }
  });

  it('has each pull request on a branch of its own, none on the main branch', () => {
    const ids = Array.from({ length: PULL_REQUESTS }, (_, index) => index + 1);
    const numbers = new Set(ids.map(branchOfPullRequest));
    expect(numbers.size).toBe(PULL_REQUESTS);
    expect(Math.min(...numbers)).toBe(1);
    expect(Math.max(...numbers)).toBeLessThan(BRANCHES);
  });
});
