import { distance } from 'fastest-levenshtein';
import { PRINTED_SECTIONS } from '../keys';
import type { Section, ServiceName } from '../keys/section';
import { BITBUCKET_CLOUD_KIND, serverSections } from '../keys/vcs-sections';
import { findTable, type TomlTable } from '../toml/toml-tree';
import { nearest } from './nearest';
import { isFilledIn, OTHER_VCS_KINDS, otherKindMessage } from './other-vcs-kinds';
import type { Reading } from './reading';

/** Tables of a CDS configuration file that are none of ours. */
const OTHER_SECTIONS = new Set(
  'api cdn database debug elasticsearch hatchery migrate repositories telemetry tracing ui worker'.split(
    ' ',
  ),
);

/** Looks for keys in the file that nothing knows, and for VCS servers of other kinds. */
export function checkKeys(reading: Reading, services: readonly ServiceName[]): void {
  const { file } = reading;
  if (!file) return;
  checkSectionNames(reading, file);
  reportDuplicates(
    reading,
    file.duplicates.filter((duplicate) =>
      [...services, 'log'].includes(duplicate.key.toLowerCase()),
    ),
  );
  for (const section of [...services, 'log'] as const) {
    const node = file.children.get(section);
    if (node?.kind === 'table') checkTable(reading, node, knownTable(section));
    else if (node) reading.error(node, `must be a table: write [${section}]`);
  }
  const servers = services.includes('vcs') && findTable(file, ['vcs', 'servers']);
  if (servers) checkServers(reading, servers);
}

/** Sections of other services are nobody's business here, but `[hook]` is meant for us. */
function checkSectionNames(reading: Reading, file: TomlTable): void {
  for (const [name, node] of file.children) {
    if (['vcs', 'hooks', 'log'].includes(name) || OTHER_SECTIONS.has(name)) continue;
    const meant = nearest(name, ['vcs', 'hooks', 'log']);
    const isNear = meant !== undefined && distance(name, meant) <= (meant === 'hooks' ? 2 : 1);
    if (isNear) reading.warning(node, `is not known; did you mean [${meant}]?`);
  }
}

function reportDuplicates(reading: Reading, duplicates: TomlTable['duplicates']): void {
  for (const duplicate of duplicates)
    reading.error(
      duplicate,
      `given twice, the other time as ${duplicate.first}: keys match without regard to case; keep one`,
    );
}

function checkTable(reading: Reading, table: TomlTable, known: KnownTable): void {
  reportDuplicates(reading, table.duplicates);
  for (const [name, node] of table.children) {
    if (node.key.toLowerCase() === 'vcs.servers' && node.kind === 'table') continue;
    const expected = known.children.get(name);
    if (!expected) {
      const names = [...known.children.values()].map((child) => child.name);
      reading.warning(
        node,
        `is not known and is ignored; the nearest known key is ${nearest(name, names)}`,
      );
    } else if (expected.table && node.kind === 'table') {
      checkTable(reading, node, expected.table);
    } else if (expected.table) {
      reading.error(node, `must be a table: write [${node.key}]`);
    }
  }
}

function checkServers(reading: Reading, servers: TomlTable): void {
  const known = knownServerTable();
  reportDuplicates(reading, servers.duplicates);
  for (const server of servers.children.values()) {
    if (server.kind !== 'table') {
      reading.error(server, `must be a table: write [${server.key}]`);
      continue;
    }
    const ours: TomlTable = { ...server, children: new Map(server.children) };
    for (const [name, node] of server.children) {
      const isOther = OTHER_VCS_KINDS.has(name);
      if (isOther && isFilledIn(node)) reading.error(node, otherKindMessage(name));
      // `github = ""` in a server of ours is how CDS says "none".
      if (isOther || (node.kind === 'leaf' && node.value === '')) ours.children.delete(name);
    }
    checkTable(reading, ours, known);
  }
}

/** What may stand in a table, by name in lower case. */
interface KnownTable {
  children: Map<string, { name: string; table?: KnownTable }>;
}

/** What may stand in the whole of a service's table. */
function knownTable(service: ServiceName | 'log'): KnownTable {
  const root: KnownTable = { children: new Map() };
  for (const section of PRINTED_SECTIONS[service]) addSection(root, section.path.slice(1), section);
  return root;
}

/** What may stand in any `[vcs.servers.NAME]`. */
function knownServerTable(): KnownTable {
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
