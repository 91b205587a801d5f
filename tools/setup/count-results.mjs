// Adds up what the specs and the fault matrix left in tmp/test-results.
// As a command it prints the line that ends `.ci/run`, and fails when anything did.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './run.mjs';

export const results = join(root, 'tmp', 'test-results');

/** @returns {{ passed: number, failed: number, skipped: number }} */
export function countResults() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of existsSync(results) ? readdirSync(results) : []) {
    const result = JSON.parse(readFileSync(join(results, file), 'utf8'));
    counts.passed += result.numPassedTests;
    counts.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    counts.skipped += result.numPendingTests;
  }
  return counts;
}

export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = countResults();
  console.log(countsLine(counts));
  process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}
