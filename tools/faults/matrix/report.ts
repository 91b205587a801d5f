import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultResult } from './run-fault';

const seconds = (ms: number | undefined): string =>
  ms === undefined ? '–' : (ms / 1_000).toFixed(1);

/** One line for people, and what went wrong below it. */
export function describeResult(result: FaultResult): string {
  const { name, seed, violations, folder, skipped } = result;
  if (skipped !== undefined) return `– ${name.padEnd(36)} skipped: ${skipped}`;
  const head = violations.length === 0 ? '✔' : '✖';
  const lines = [
    `${head} ${name.padEnd(36)} ${String(result.accepted).padStart(4)} accepted ${String(result.runs).padStart(4)} runs` +
      `  ${result.doubles}/${result.doublesAllowed} doubles ${String(result.cleanups).padStart(2)} cleanups` +
      `  first run ${seconds(result.firstRunMs).padStart(4)} s  drained ${seconds(result.drainedMs).padStart(4)} s` +
      `  ${String(result.peakRssMb ?? '–').padStart(3)} MB  (${seconds(result.tookMs)} s)`,
    ...violations.slice(0, 10).map(({ sentence }) => `    ${sentence}`),
  ];
  if (violations.length > 10) lines.push(`    … and ${violations.length - 10} more`);
  if (violations.length > 0)
    lines.push(
      `    Seed ${seed}. Logs and history: ${folder ?? '–'}. Again: npm run test:faults -- --only ${name} --seed ${seed}`,
    );
  return lines.join('\n');
}

/** The table of the page. */
export function markdownTable(results: FaultResult[]): string {
  const head = [
    'Fault',
    'What happens',
    'Checks of its own',
    'Runs that may come twice',
    'First run (s)',
  ];
  const rows = results.map((result) => [
    `\`${result.name}\``,
    result.what,
    result.checks || '–',
    result.doublesAllowed === 0 ? '0' : `${result.doublesAllowed}: ${result.doublesBecause}`,
    result.skipped !== undefined
      ? 'skipped'
      : result.violations.length > 0
        ? 'FAILED'
        : seconds(result.firstRunMs),
  ]);
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
}

const PAGE_HEAD = `# The fault matrix

\`\`\`sh
npm run test:faults # writes this page to tmp/faults/fault-matrix.md
\`\`\`

Each fault passed
[the checks of every fault](../tools/faults/README.md#what-is-checked-of-every-fault) and its own,
and proves [promises](promises.md). "Killed" is SIGKILL, "frozen" is SIGSTOP. "One a hook" is the
run that a hook was asking for when it was hit. The first run comes that long after the end of the
fault, in one play on two cores.

`;

/** `docs/fault-matrix.md`, before Prettier aligns it. */
export const markdownPage = (results: FaultResult[]): string =>
  `${PAGE_HEAD}${markdownTable(results)}`;

/** How many passed, failed, and were not played. */
export function countResults(results: FaultResult[]) {
  const skipped = results.filter((result) => result.skipped !== undefined).length;
  const failed = results.filter(({ violations }) => violations.length > 0).length;
  return { passed: results.length - failed - skipped, failed, skipped };
}

/** Leaves the counts where `npm test` adds them up, and the page. */
export function writeReports(root: string, folder: string, results: FaultResult[]): void {
  const { passed, failed, skipped } = countResults(results);
  const counts = {
    numPassedTests: passed,
    numFailedTests: failed,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: skipped,
  };
  const counted = join(root, 'tmp', 'test-results');
  mkdirSync(counted, { recursive: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(counted, 'fault-matrix.json'),
    JSON.stringify({ ...counts, results }, null, 1),
  );
  writeFileSync(join(folder, 'fault-matrix.md'), markdownPage(results));
}
