import { onOneLine } from '@cds/wire';

/** JSON for programs. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The columns of a table: their headings, and what each row has there. */
export type Columns<T> = Readonly<Record<string, (row: T) => string | number>>;

/** Rows as columns for people, two spaces apart. The last column may be of any length. */
export function formatTable<T>(columns: Columns<T>, rows: readonly T[]): string {
  const cells = Object.values(columns);
  const lines = [
    Object.keys(columns),
    ...rows.map((row) => cells.map((cell) => onOneLine(String(cell(row))))),
  ];
  const widths = cells.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
