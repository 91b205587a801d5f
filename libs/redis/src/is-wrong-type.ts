/**
 * Whether Redis refused a command since the key holds another type. Up to 6.2 the word is within
 * the sentence for a command of a script.
 */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}
