import { onOneLine } from '@cds/wire';
import type { Finding, FindingStatus } from './finding';
import { nameOf } from './run-checks';

const SIGNS: Readonly<Record<FindingStatus, string>> = {
  ok: '✔',
  warning: '!',
  failed: '✘',
  skipped: '–',
};

/** One line for a finding, and one for what to do. */
export function formatFinding(finding: Finding): string {
  const { status, message, fix } = finding;
  const todo = fix === undefined ? '' : `    ${onOneLine(fix)}\n`;
  return `${SIGNS[status]} ${onOneLine(`${nameOf(finding)}: ${message}`)}\n${todo}`;
}

/** How many of each there were. */
export function formatSummary(findings: readonly Finding[]): string {
  const count = (status: FindingStatus) => findings.filter((each) => each.status === status).length;
  return `\n${count('ok')} ok, ${count('warning')} to look at, ${count('failed')} failed, ${count('skipped')} not known\n`;
}
