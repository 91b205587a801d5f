/** The result for one task, delivery or cleanup of the reference. Never holds a secret. */
export interface ImportRow {
  kind: 'task' | 'delivery' | 'cleanup';
  type: string;
  uuid: string;
  /** ISO 8601: when a delivery was accepted, when a cleanup is due; empty for a task. */
  date: string;
  workflow: string;
  result: string;
}

export interface ImportReport {
  dry_run: boolean;
  /** Kind, then result → how many. */
  counts: Record<ImportRow['kind'], Record<string, number>>;
  rows: ImportRow[];
  /** Entries that were not imported although something may be left to do. */
  problems: { key: string; reason: string }[];
  /** Rows and problems beyond those that are listed. */
  unlisted: number;
  /** Types of imported tasks for which this version does nothing → how many. */
  unserved: Record<string, number>;
}

const MAX_LISTED = 10_000;

export type Reporter = ReturnType<typeof createReporter>;

/** Collects what an import did, in bounded memory. */
export function createReporter(dryRun: boolean) {
  const report: ImportReport = {
    dry_run: dryRun,
    counts: { task: {}, delivery: {}, cleanup: {} },
    rows: [],
    problems: [],
    unlisted: 0,
    unserved: {},
  };

  function list<T>(rows: T[], row: T): void {
    if (rows.length < MAX_LISTED) rows.push(row);
    else report.unlisted++;
  }

  return {
    report,
    row(row: ImportRow): void {
      const counts = report.counts[row.kind];
      counts[row.result] = (counts[row.result] ?? 0) + 1;
      list(report.rows, row);
    },
    problem(key: string, reason: string): void {
      list(report.problems, { key, reason });
    },
    unserved(type: string): void {
      report.unserved[type] = (report.unserved[type] ?? 0) + 1;
    },
  };
}
