/** Where the pages are. */
export const UI = '/admin/ui';

/** A path with its query; what is empty is left out. */
export function pathOf(
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, String(value));
  return search.size === 0 ? UI + path : `${UI}${path}?${search.toString()}`;
}

export function hookPath(uuid: string): string {
  return pathOf(`/hooks/${encodeURIComponent(uuid)}`);
}

export function executionPath(of: { uuid: string; timestamp: number | string }): string {
  return pathOf(
    `/hooks/${encodeURIComponent(of.uuid)}/executions/${encodeURIComponent(of.timestamp)}`,
  );
}
