import {
  BITBUCKET_CLOUD_KIND,
  DEFAULT_SERVER,
  PROXY_EXAMPLE,
  serverSections,
} from '../keys/vcs-sections';
import { findTable, type TomlTable } from '../toml/toml-tree';
import { isMissing } from '../values/placeholder';
import { readSections } from './read-sections';
import type { Reading } from './reading';
import { serverEnvNames, serverEnvSegment, serversOfEnvironment } from './server-variables';

const CREDENTIALS = ['clientId', 'clientSecret'];

interface Candidate {
  name: string;
  server: TomlTable | undefined;
  block: TomlTable | undefined;
}

/**
 * Reads every `[vcs.servers.NAME.bitbucketcloud]` of the file and of the environment. Blocks that
 * hold only placeholders are left out; when nothing else is left, they are what is wrong, unless
 * no server is needed.
 */
export function readServers(
  reading: Reading,
  { areNeeded }: { areNeeded: boolean },
): BitbucketServerConfig[] {
  const candidates = [...fromFile(reading)];
  const known = new Set(candidates.map(({ name }) => serverEnvSegment(name)));
  for (const name of serversOfEnvironment(reading.env.names)) {
    if (known.has(name)) continue;
    const server = serverTables(reading).find((table) => serverEnvSegment(table.name) === name);
    candidates.push({ name: server?.name ?? name.toLowerCase(), server, block: undefined });
  }
  const filledIn = candidates.filter((candidate) => hasCredentials(reading, candidate));
  if (filledIn.length > 0 || !areNeeded) {
    // Where none is filled in, none is meant: CDS prints them all.
    const others = candidates.filter((each) => filledIn.length > 0 && !filledIn.includes(each));
    for (const { name, block } of others)
      reading.warning(
        block ?? { key: `vcs.servers.${name}` },
        'is ignored: it has neither clientId nor clientSecret',
      );
    return filledIn.map((candidate) => readServer(reading, candidate));
  }
  if (candidates.length === 0) {
    const servers = findTable(reading.file, ['vcs', 'servers']);
    const [example] = serverEnvNames(DEFAULT_SERVER, [BITBUCKET_CLOUD_KIND, 'clientId']);
    reading.error(
      { key: 'vcs.servers', line: servers?.line, file: servers?.file },
      `no Bitbucket Cloud server: CDS 0.51 and later need none once vcs.api.token is that of a consumer. For an earlier one add [vcs.servers.${DEFAULT_SERVER}.${BITBUCKET_CLOUD_KIND}] with clientId and clientSecret, or set ${example} and its like`,
    );
  }
  return candidates.map((candidate) => readServer(reading, candidate));
}

function serverTables(reading: Reading): TomlTable[] {
  const servers = findTable(reading.file, ['vcs', 'servers']);
  return [...(servers?.children.values() ?? [])].filter((node) => node.kind === 'table');
}

function* fromFile(reading: Reading): Generator<Candidate> {
  for (const server of serverTables(reading)) {
    // CDS prints bitbucket_cloud but reads bitbucketcloud only, so files exist that hold both.
    const blocks = ['bitbucketcloud', 'bitbucket_cloud']
      .map((kind) => server.children.get(kind))
      .filter((node) => node?.kind === 'table');
    const filledIn = blocks.filter((block) => CREDENTIALS.some((key) => has(block, key)));
    if (filledIn[1])
      reading.error(filledIn[1], `is the same as ${filledIn[0]?.key}: keep one of the two`);
    const block = filledIn[0] ?? blocks[0];
    if (block) yield { name: server.name, server, block };
  }
}

function hasCredentials(reading: Reading, { name, block }: Candidate): boolean {
  return CREDENTIALS.some(
    (key) =>
      has(block, key) ||
      serverEnvNames(name, [BITBUCKET_CLOUD_KIND, key]).some((variable) =>
        reading.env.get(variable),
      ),
  );
}

function has(block: TomlTable | undefined, key: string): boolean {
  const node = block?.children.get(key.toLowerCase());
  return node !== undefined && !(node.kind === 'leaf' && isMissing(node.value));
}

/** One `[vcs.servers.NAME.bitbucketcloud]`. */
export type BitbucketServerConfig = ReturnType<typeof readServer>;

function readServer(reading: Reading, { name, server, block }: Candidate) {
  const {
    server: own,
    cloud,
    status,
  } = readSections(reading, serverSections(name), ({ path }) => ({
    table: path.length > 3 ? block && findTable(block, path.slice(4)) : server,
    envNames: (key) => serverEnvNames(name, [...path.slice(3), key]),
  }));
  // CDS's own `config new --env` exports its example; in a file that is a comment, so it is meant.
  const isExample = cloud.proxyWebhook === PROXY_EXAMPLE && !has(block, 'proxyWebhook');
  if (isExample)
    reading.warning(
      { key: `vcs.servers.${name}.${BITBUCKET_CLOUD_KIND}.proxyWebhook` },
      `is the printed example ${PROXY_EXAMPLE} and is ignored: put your own proxy there, or remove it`,
    );
  return {
    // CDS's own services lower all keys when they read the file: projects hold that name.
    name: name.toLowerCase(),
    ...own,
    ...cloud,
    ...(isExample && { proxyWebhook: '' }),
    status,
  };
}
