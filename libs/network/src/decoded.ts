/** A part of a URL without its escapes; undefined where a `%` begins none, or they are no UTF-8. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
