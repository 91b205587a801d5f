import type { Usage } from './rate-limit-usage';

/** The share below which background work waits. */
const FOR_THE_API = 0.3;
/** The share that is reserved for runs: branches, commits, statuses, webhooks, comments. */
const FOR_RUNS = 0.1;
const WINDOW_SECONDS = 60 * 60;

/** The callers that are allowed: all; all but background work; runs alone. */
export type Allowance = 'all' | 'the-api' | 'runs';

export interface BudgetState {
  spent: number;
  /** Calls that are granted in an hour, 0 for no limit. */
  limit: number;
  /** Undefined without a limit. */
  left: number | undefined;
  allowed: Allowance;
  /** Seconds until listings are allowed again; 0 when they are. */
  waitSeconds: number;
  /** Seconds since Bitbucket last answered 429, if it did in the last quarter of an hour. */
  refusedSecondsAgo?: number;
}

/** @param limit calls that are granted in an hour, 0 for no limit */
export function budgetState(limit: number, { calls, refused }: Usage): BudgetState {
  const spent = calls.reduce((sum, [, count]) => sum + count, 0);
  const refusedFor = refused ? Math.max(0, refused.waitSeconds - refused.secondsAgo) : 0;
  const reserved = limit - reserveOf(limit, FOR_RUNS);
  const overspent = limit > 0 && spent >= reserved;
  const wait = overspent ? secondsUntil(spent - reserved, calls) : 0;
  return {
    spent,
    limit,
    // Bitbucket itself says that none is left.
    left: limit === 0 ? undefined : refusedFor > 0 ? 0 : Math.max(0, limit - spent),
    allowed: allowanceOf(),
    waitSeconds: Math.ceil(Math.max(refusedFor, wait)),
    ...(refused && { refusedSecondsAgo: refused.secondsAgo }),
  };

  function allowanceOf(): Allowance {
    if (refusedFor > 0 || overspent) return 'runs';
    const isShort = limit > 0 && spent >= limit - reserveOf(limit, FOR_THE_API);
    return refused || isShort ? 'the-api' : 'all';
  }
}

function reserveOf(limit: number, share: number): number {
  return Math.ceil(limit * share);
}

/** Seconds until more than `surplus` of the oldest calls are older than an hour. */
function secondsUntil(surplus: number, calls: Usage['calls']): number {
  let gone = 0;
  for (const [minutesAgo, count] of calls) {
    gone += count;
    if (gone > surplus) return Math.max(60, WINDOW_SECONDS + 60 - minutesAgo * 60);
  }
  return WINDOW_SECONDS;
}
