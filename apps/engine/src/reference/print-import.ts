import { onOneLine } from '@cds/wire';
import { formatTable } from '../print-table';
import type { ImportReport } from './import-report';

const MAX_PRINTED = 1_000;
const KINDS = { task: 'Tasks', cleanup: 'Branch deletions', delivery: 'Deliveries' } as const;

/** The report for people: what is pending, the counts, what was not understood. */
export function printImport(report: ImportReport): string {
  const rows = report.dry_run ? report.rows : report.rows.filter(({ kind }) => kind !== 'task');
  const table =
    rows.length === 0
      ? ''
      : `${formatTable(
          ['KIND', 'TYPE', 'WORKFLOW', 'DATE', 'RESULT', 'UUID'],
          rows
            .slice(0, MAX_PRINTED)
            .map(({ kind, type, workflow, date, result, uuid }) => [
              kind,
              type,
              workflow,
              date.replace(/\.\d+Z$/, 'Z'),
              result,
              uuid,
            ]),
        )}\n`;
  const left = rows.length - MAX_PRINTED + report.unlisted;
  const more = left > 0 ? `… and ${left} more: --json lists up to ten thousand.\n\n` : '';
  const dry = report.dry_run ? 'This is what an import would do; nothing was written.\n' : '';
  return `${table}${more}${dry}${counts(report)}`;
}

function counts(report: ImportReport): string {
  return (['task', 'cleanup', 'delivery'] as const)
    .map((kind) => {
      const results = Object.entries(report.counts[kind]).map(([name, n]) => `${n} ${name}`);
      return `${KINDS[kind]}: ${results.length === 0 ? 'none' : results.join('; ')}.\n`;
    })
    .join('');
}

/** What somebody has to look at, a sentence each. */
export function importRemarks(report: ImportReport): string[] {
  const unserved = Object.entries(report.unserved).map(([type, n]) => `${n} ${type}`);
  const shown = report.problems.slice(0, MAX_PRINTED);
  return [
    ...(unserved.length === 0
      ? []
      : [
          `Kept, but this version does nothing for them, so their workflows do not start by themselves: ${unserved.join(', ')}.`,
        ]),
    ...shown.map(({ key, reason }) => `Not imported: ${onOneLine(key)}: ${reason}.`),
    ...(report.problems.length > shown.length
      ? [`… and ${report.problems.length - shown.length} more: --json lists them.`]
      : []),
  ];
}
