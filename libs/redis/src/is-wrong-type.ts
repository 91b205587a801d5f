/**
 * Whether Redis refused a command since the key holds another type of value. Up to 6.2 the word
 * stands within the sentence where a script called the command.
 */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}
