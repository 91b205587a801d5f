import { shortTime } from '@cds/hooks-store';
import { onOneLine } from '@cds/wire';
import { type Columns, formatTable } from '../print';
import type { ImportReport, ImportRow } from './import-report';

const MAX_PRINTED = 1_000;
const KINDS = { task: 'Tasks', cleanup: 'Branch deletions', delivery: 'Deliveries' } as const;

const COLUMNS: Columns<ImportRow> = {
  KIND: ({ kind }) => kind,
  TYPE: ({ type }) => type,
  WORKFLOW: ({ workflow }) => workflow,
  DATE: ({ date }) => shortTime(date),
  RESULT: ({ result }) => result,
  UUID: ({ uuid }) => uuid,
};

/** The report for people: what is pending, the counts, what was not understood. */
export function printImport(report: ImportReport): string {
  const rows = report.dry_run ? report.rows : report.rows.filter(({ kind }) => kind !== 'task');
  const table = rows.length === 0 ? '' : `${formatTable(COLUMNS, rows.slice(0, MAX_PRINTED))}\n`;
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
  const more = report.problems.length - shown.length;
  const remarks = shown.map(({ key, reason }) => `Not imported: ${onOneLine(key)}: ${reason}.`);
  if (more > 0) remarks.push(`… and ${more} more: --json lists them.`);
  if (unserved.length > 0)
    remarks.unshift(
      'Kept, but this version does nothing for them, ' +
        `so their workflows do not start by themselves: ${unserved.join(', ')}.`,
    );
  return remarks;
}
