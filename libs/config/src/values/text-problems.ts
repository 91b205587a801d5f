/** C0 and C1 controls, DEL, and what else ends a line. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
/** Characters without width, which copying brings along. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/;
const QUOTED = /^(["'`\u201c\u2018\u00ab]).*(["'`\u201d\u2019\u00bb])$/s;
const CLOSING: Readonly<Record<string, string>> = {
  '\u201c': '\u201d',
  '\u2018': '\u2019',
  '\u00ab': '\u00bb',
};

/** A text without the line breaks at its end. */
export function withoutLineBreak(text: string): string {
  return text.replace(/(?<![\r\n])[\r\n]+$/, '');
}

/** Why a text is refused; undefined where it is not. Never quotes it: it may be a secret. */
export function textError(text: string): string | undefined {
  const bare = withoutLineBreak(text);
  if (bare !== text && !CONTROL.test(bare)) return 'ends with a line break: remove it';
  const control = CONTROL.exec(text);
  return control ? `holds a control character (${placeOf(control)}): remove it` : undefined;
}

/** Why an accepted text is probably a mistake; undefined where it is not. Never quotes it. */
export function textWarning(text: string): string | undefined {
  const invisible = INVISIBLE.exec(text);
  if (invisible)
    return `holds an invisible character (${placeOf(invisible)}), which copying may have brought: it counts`;
  if (text !== text.trim()) return 'begins or ends with a space, which counts';
  const [, opening = '', closing = ''] = QUOTED.exec(text) ?? [];
  if (opening !== '' && text.length > 2 && closing === (CLOSING[opening] ?? opening))
    return 'stands in quotes of its own, which count: one pair of them is enough';
  return undefined;
}

/** `U+200B, character 3` */
function placeOf({ 0: character, index }: RegExpExecArray): string {
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${code}, character ${index + 1}`;
}
