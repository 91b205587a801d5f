import { showHidden } from '@cds/wire';

/** Text that is HTML already. Only {@link html} makes some. */
export class Html {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

/** What a template takes: text of anybody, HTML, lists of both; nothing for what is missing. */
export type Part = Html | string | number | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * HTML with values in it. Every value is escaped, also for attributes in quotes; hidden and
 * bidirectional characters show as `\u202e`.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, next, index) => text + write(parts[index - 1]) + next));
}

function write(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(write).join('');
  return showHidden(String(part)).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}
