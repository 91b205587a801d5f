import { PRINTED_SECTIONS } from '../keys';
import type { Section, ServiceName } from '../keys/section';
import { BITBUCKET_CLOUD_KIND, serverSections } from '../keys/vcs-sections';
import { OTHER_VCS_KINDS } from './other-vcs-kinds';

/** What may stand in a table, by name in lower case. */
export interface KnownTable {
  children: Map<string, { name: string; table?: KnownTable }>;
}

/** What may stand in the whole of a service's table. */
export function knownTable(service: ServiceName | 'log'): KnownTable {
  const root: KnownTable = { children: new Map() };
  for (const section of PRINTED_SECTIONS[service]) addSection(root, section.path.slice(1), section);
  return root;
}

/** What may stand in any `[vcs.servers.NAME]`. */
export function knownServerTable(): KnownTable {
  const root: KnownTable = { children: new Map() };
  for (const section of Object.values(serverSections('NAME')))
    addSection(root, section.path.slice(3), section);
  const kind = root.children.get(BITBUCKET_CLOUD_KIND);
  if (kind) root.children.set('bitbucket_cloud', { ...kind, name: 'bitbucket_cloud' });
  for (const other of OTHER_VCS_KINDS.keys()) root.children.set(other, { name: other });
  return root;
}

function addSection(root: KnownTable, path: readonly string[], section: Section): void {
  let table = root;
  for (const name of path) {
    const child = table.children.get(name.toLowerCase()) ?? { name };
    child.table ??= { children: new Map() };
    table.children.set(name.toLowerCase(), child);
    table = child.table;
  }
  for (const { name } of section.keys) table.children.set(name.toLowerCase(), { name });
}
