import { stringify } from 'smol-toml';
import type { Key, Section } from '../keys/section';
import { printedSections, printedValue, type PrintOptions } from './printed-sections';

const COMMENT_WIDTH = 96;

/** A configuration file with every key, its default, and a comment that says what it does. */
export function printConfig(o: PrintOptions): string {
  return printedSections(o)
    .map((section) => printSection(section, o))
    .join('\n');
}

function printSection(section: Section, o: PrintOptions): string {
  const keys = section.keys.map(
    (key) =>
      `${key.unused ? '' : `\n${toComment(key.comment)}`}${printKey(key, section.path, o)}\n`,
  );
  return `${toComment(section.comment)}[${section.path.join('.')}]\n${keys.join('')}`;
}

function printKey(key: Key, path: readonly string[], o: PrintOptions): string {
  const literal = (value: Key['default']) => stringify({ [key.name]: value }).trimEnd();
  return key.example === undefined
    ? literal(printedValue(key, path, o))
    : `# ${literal(key.example)}`;
}

function toComment(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < COMMENT_WIDTH)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `# ${line}\n`).join('');
}
