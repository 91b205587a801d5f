import type { Key } from '../keys/section';
import { BITBUCKET_CLOUD_KIND, serverSections } from '../keys/vcs-sections';
import { OTHER_VCS_KINDS } from './other-vcs-kinds';

const PREFIX = 'CDS_VCS_SERVERS_';
const SPELLINGS = ['BITBUCKETCLOUD', 'BITBUCKET_CLOUD'] as const;

/** What an environment variable below `CDS_VCS_SERVERS_` is about. */
type ServerVariable =
  | { about: 'server' }
  | { about: 'bitbucketcloud'; server: string }
  | { about: 'other-kind'; kind: string };

/** Ends of the variables of `[vcs.servers.NAME.bitbucketcloud]`: `_BITBUCKETCLOUD_CLIENTID`, … */
const KIND_SUFFIXES = kindSuffixes(() => true);
const SECRET_SUFFIXES = kindSuffixes(({ type }) => type.isSecret === true);

function kindSuffixes(isWanted: (key: Key) => boolean): string[] {
  return (
    Object.values(serverSections('NAME'))
      .filter((section) => section.path.includes(BITBUCKET_CLOUD_KIND))
      .flatMap(({ path, keys }) =>
        keys.filter(isWanted).map(({ name }) => [...path.slice(4), name].join('_').toUpperCase()),
      )
      .flatMap((key) => SPELLINGS.map((spelling) => `_${spelling}_${key}`))
      // NAME may itself end in BITBUCKET: the longer spelling is tried first.
      .sort((a, b) => b.length - a.length)
  );
}

/** Whether `name` is the variable of a secret of a server. */
export function isServerSecret(name: string): boolean {
  return (
    parseServerVariable(name)?.about === 'bitbucketcloud' &&
    SECRET_SUFFIXES.some((suffix) => name.endsWith(suffix))
  );
}

const OTHER_KIND = new RegExp(`^.+_(${[...OTHER_VCS_KINDS.keys()].join('|')})(_.+)?$`, 'i');

/** How NAME is spelled in the names of variables. */
export function serverEnvSegment(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase();
}

/** Names of the variables of one key of a server; `path` is what follows NAME. */
export function serverEnvNames(server: string, path: readonly string[]): string[] {
  const segment = serverEnvSegment(server);
  const [kind, ...rest] = path;
  if (kind !== BITBUCKET_CLOUD_KIND) return [`${PREFIX}${segment}_${path.join('_')}`.toUpperCase()];
  return SPELLINGS.map((spelling) =>
    `${PREFIX}${segment}_${spelling}_${rest.join('_')}`.toUpperCase(),
  );
}

/** Tells what `name` is about. Undefined for one that nothing knows. */
export function parseServerVariable(name: string): ServerVariable | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const rest = name.slice(PREFIX.length);
  const suffix = KIND_SUFFIXES.find((end) => rest.endsWith(end) && rest.length > end.length);
  if (suffix) return { about: 'bitbucketcloud', server: rest.slice(0, -suffix.length) };
  if (/^.+_BITBUCKET_?CLOUD_/.test(rest)) return undefined;
  if (/^.+_URL$/.test(rest)) return { about: 'server' };
  const kind = OTHER_KIND.exec(rest)?.[1];
  return kind ? { about: 'other-kind', kind: kind.toLowerCase() } : undefined;
}

/**
 * The servers of kind Bitbucket Cloud that the environment speaks of, in capitals.
 * @param variables its names
 */
export function serversOfEnvironment(variables: readonly string[]): Set<string> {
  const servers = new Set<string>();
  for (const name of variables) {
    const variable = parseServerVariable(name);
    if (variable?.about === 'bitbucketcloud') servers.add(variable.server);
  }
  return servers;
}
