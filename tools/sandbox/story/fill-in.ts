/**
 * Fills in a printed configuration: sets keys, given as `section.key`, and leaves everything else
 * as it is, comments too. A key that is commented out is taken out of its comment.
 *
 * @throws Error for a key that the text does not have: then it is not what `engine config new`
 *   prints.
 */
export function fillIn(text: string, values: Record<string, string | number | boolean>): string {
  const open = new Map(
    Object.entries(values).map(([path, value]) => [path.toLowerCase(), { path, value }]),
  );
  let section = '';
  const lines = text.split('\n').map((line) => {
    const header = /^\s*\[([^\]]+)\]\s*$/.exec(line);
    if (header) section = header[1] ?? '';
    const entry = /^(\s*)(?:#\s*)?([A-Za-z]\w*)(\s*=\s*)\S/.exec(line);
    const [, indent = '', key = '', equals = ''] = entry ?? [];
    const path = `${section}.${key}`.toLowerCase();
    const wanted = entry ? open.get(path) : undefined;
    if (!wanted) return line;
    open.delete(path);
    return `${indent}${key}${equals}${JSON.stringify(wanted.value)}`;
  });
  const [missing] = [...open.values()];
  if (missing) throw new Error(`The printed configuration has no ${missing.path}`);
  return lines.join('\n');
}
