/**
 * Control characters but line end and tab, also of the second set (C1); marks and overrides of
 * bidirectional text; line and paragraph separators; characters without width; tags.
 * https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

/** An escape of JSON, or one of {@link HIDDEN} as it is. */
const ESCAPE_OR_HIDDEN = new RegExp(`\\\\(?:u00[01][0-9a-f]|.)|${HIDDEN.source}`, 'g');
/** Of the short escapes those that stand for what a terminal acts on. */
const SHORT: Partial<Record<string, string>> = { b: '\b', f: '\f', r: '\r' };

/**
 * Shows hidden characters as `\u202e` in texts of strangers (names of branches, messages, answers)
 * for a terminal. JSON text keeps its value.
 */
export function showHidden(text: string): string {
  return text.replace(HIDDEN, escaped);
}

const GAP = new RegExp(`(?:${HIDDEN.source}|[\\n\\t])+`, 'g');

/** A text on one line, a space in place of what is hidden, for a cell of a table. */
export function onOneLine(text: string): string {
  return text.replace(GAP, ' ').trim();
}

/** Shows what is hidden once the JSON text is parsed. Line ends and tabs stay. */
export function showHiddenOnceParsed(json: string): string {
  return json.replace(ESCAPE_OR_HIDDEN, (found) => {
    if (found[0] === '\\' && found.length > 2) return `\\${found}`;
    const hidden = found[0] === '\\' ? SHORT[found[1] ?? ''] : found;
    return hidden === undefined ? found : escaped(hidden).replaceAll('\\', '\\\\');
  });
}

function escaped(text: string): string {
  return Array.from(
    { length: text.length },
    (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
