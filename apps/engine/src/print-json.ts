/** What a terminal would act on, or turn the text around with; JSON itself escapes only what is below a space. */
const UNPRINTABLE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** JSON for programs that also does no harm on a terminal: texts of others are in it. */
export function formatJson(value: unknown): string {
  const json = JSON.stringify(value, null, 2);
  const escaped = json.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${escaped}\n`;
}
