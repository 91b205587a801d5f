// Adds up what the specs and the fault matrix left in tmp/test-results. As a command it ends
// `.ci/run`: it names what failed, prints the counts, and fails when anything did.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './run.mjs';

export const results = join(root, 'tmp', 'test-results');

/** What a run of Jest or of the matrix left, by file. */
function readResults() {
  const files = existsSync(results) ? readdirSync(results) : [];
  return files.map((file) => JSON.parse(readFileSync(join(results, file), 'utf8')));
}

/** @returns {{ passed: number, failed: number, skipped: number }} */
export function countResults() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const result of readResults()) {
    counts.passed += result.numPassedTests;
    counts.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    counts.skipped += result.numPendingTests;
  }
  return counts;
}

export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * A line for each test, spec file or fault that failed. A log of thousands of lines ends with them.
 */
export function describeFailures() {
  return readResults().flatMap(({ testResults = [], results: faults = [] }) => [
    ...testResults.flatMap(failuresOfSpec),
    ...faults.flatMap(({ name, seed, violations: [first] }) =>
      first === undefined ? [] : [`FAILED: fault ${name}, seed ${seed}: ${first.sentence}`],
    ),
  ]);
}

function failuresOfSpec({ name, status, message, assertionResults }) {
  const file = relative(root, name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0 && status === 'failed') return [`FAILED: ${file}: ${message}`];
  return failed.map(({ fullName }) => `FAILED: ${file}: ${fullName}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = countResults();
  for (const line of describeFailures()) console.log(line);
  console.log(countsLine(counts));
  process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}
