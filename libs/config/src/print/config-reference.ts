import { PRINTED_SECTIONS } from '../keys';
import { envName, type Key, type Section } from '../keys/section';
import { types } from '../keys/value-types';

const HEADINGS = ['Key', 'Default', 'Environment', 'Meaning'];

/** The configuration, key by key, as Markdown for the operator guide. Formatted as Prettier would. */
export function configReference(): string {
  return Object.values(PRINTED_SECTIONS)
    .flat()
    .map(
      (section) => `### \`[${section.path.join('.')}]\`\n\n${section.comment}\n\n${table(section)}`,
    )
    .join('\n');
}

function table({ path, keys }: Section): string {
  const rows = keys.map((key) => [
    `\`${key.name}\``,
    `\`${JSON.stringify(key.default)}\``,
    `\`${envName([...path, key.name])}\``,
    meaning(key),
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const ruler = line(widths.map((width) => '-'.repeat(width)));
  return line(HEADINGS) + ruler + rows.map(line).join('');
}

function meaning(key: Key): string {
  if (key.unused) return key.comment;
  const { expected = '' } = types.get(key.schema) ?? {};
  const needed = key.required && key.default === '' ? '**To be filled in.** ' : '';
  const rule = key.schema.type === 'number' ? ` ${capitalise(expected)}.` : '';
  return `${needed}${key.comment}${rule}`.replaceAll('|', '\\|');
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
