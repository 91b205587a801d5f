import type { Row } from '../bench-case';
import type { Summary } from '../measure/statistics';

/** The rows as a Markdown table, whose figures docs/performance.md carries. */
export function printTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.case,
    row.measured,
    show(row.ours, row.unit),
    row.limit ? show(row.limit, row.unit) : '',
    row.ratio ? show(row.ratio, '') : '',
    row.goal,
    row.reached === undefined ? '' : row.reached ? 'yes' : '**no**',
    shares(row.cpu, 's'),
    shares(row.memoryMb, 'MB'),
  ]);
  const head = ['case', 'measured', 'ours', 'limit', 'ratio', 'goal', 'reached', 'CPU', 'memory'];
  return [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function show({ median, min, max }: Summary, unit: string): string {
  return `${short(median)}${unit && ` ${unit}`} (${short(min)}–${short(max)})`;
}

/** Three digits that mean something. */
function short(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

function shares(parts: Record<string, number> | undefined, unit: string): string {
  return Object.entries(parts ?? {})
    .map(([name, value]) => `${name} ${short(value)} ${unit}`)
    .join(', ');
}
