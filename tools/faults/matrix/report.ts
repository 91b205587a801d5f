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

/** Why runs come twice where an item gives no reason; the head of the page explains it. */
const USUAL_REASON = 'one a hook';

/** The list of the page, one item a fault. */
export function markdownList(results: FaultResult[]): string {
  return results
    .map(({ name, what, checks, doublesAllowed, doublesBecause, ...result }) => {
      const outcome =
        result.skipped !== undefined ? ' skipped' : result.violations.length > 0 ? ' FAILED' : '';
      const sentences = [what, checks].filter(Boolean).map((each) => `${capitalised(each)}.`);
      const because = doublesBecause === USUAL_REASON ? '' : `: ${doublesBecause}`;
      const doubles = doublesAllowed === 0 ? '' : ` (${doublesAllowed}${because})`;
      return wrapItem(`- \`${name}\`${outcome}${doubles}: ${sentences.join(' ')}`);
    })
    .join('');
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Lines of at most 100 columns. */
function wrapItem(item: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of item.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > 100) {
      lines.push(line);
      line = `  ${word}`;
    } else line += line === '' ? word : ` ${word}`;
  }
  return `${[...lines, line].join('\n')}\n`;
}

const pageHead = (slowestMs: number) => `# The fault matrix

\`\`\`sh
npm run test:faults # writes this page to tmp/faults/fault-matrix.md
\`\`\`

Each fault passed
[the checks of every fault](../tools/faults/README.md#what-is-checked-of-every-fault) and its own.
The first run came ${seconds(slowestMs)} s after a fault's end at most, in one play on two cores.
"Killed" is SIGKILL, "frozen" is SIGSTOP. In brackets is how many runs may come twice: one a hook,
which it was asking for when it was hit, unless another reason is given.

`;

/** `docs/fault-matrix.md`. */
export const markdownPage = (results: FaultResult[]): string =>
  `${pageHead(Math.max(0, ...results.map(({ firstRunMs }) => firstRunMs ?? 0)))}${markdownList(results)}`;

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
