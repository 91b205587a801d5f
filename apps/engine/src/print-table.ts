/** What would move the cursor or turn the text around: names of branches and answers of others are printed as they came. */
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;

/** A text of others on one line of a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ').trim();
}

/** Rows as columns for people, two spaces apart. The last column may be of any length. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
