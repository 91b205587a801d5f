/** `Application/JSON; charset=utf-8` → `application/json`. Empty for an empty header. */
export function mediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}
