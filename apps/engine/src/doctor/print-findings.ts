import { onOneLine } from '@cds/wire';
import { type Finding, type FindingStatus, nameOf } from './finding';

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

/** Shorter ones occur in words. */
const SHORTEST_SECRET = 6;

/** The finding without secrets, before it becomes JSON or one line, which would change them. */
export function hideSecrets(finding: Finding, secrets: readonly string[]): Finding {
  const { subject, message, fix } = finding;
  // One may begin with another.
  const all = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
  const hide = (text: string) => all.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return {
    ...{ ...finding, subject: hide(subject), message: hide(message) },
    ...(fix !== undefined && { fix: hide(fix) }),
  };
}
