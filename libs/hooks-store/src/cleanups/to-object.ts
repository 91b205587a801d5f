/** From a hash as a script returns it: field, value, field, value… */
export function toObject(record: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i + 1 < record.length; i += 2) object[record[i] ?? ''] = record[i + 1] ?? '';
  return object;
}
