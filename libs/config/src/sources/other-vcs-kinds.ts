import type { TomlNode } from '../toml/toml-tree';
import { PROXY_EXAMPLE } from '../keys/vcs-sections';
import { isMissing } from '../values/placeholder';

/** The kinds of VCS server that CDS knows and this service does not serve, with their names. */
export const OTHER_VCS_KINDS: ReadonlyMap<string, string> = new Map([
  ['github', 'GitHub'],
  ['gitlab', 'GitLab'],
  ['gerrit', 'Gerrit'],
  ['bitbucket', 'Bitbucket Server'],
  ['bitbucketserver', 'Bitbucket Server'],
  ['gitea', 'Gitea'],
  ['forgejo', 'Forgejo'],
]);

/** What CDS prints in those blocks besides placeholders. */
const PRINTED_BY_CDS: ReadonlySet<unknown> = new Set([
  PROXY_EXAMPLE,
  'https://api.github.com',
  'http://localhost:8081/repositories_manager/oauth2/callback',
  'myuser',
  'myreviewer',
  '29418',
  29_418,
]);

/**
 * Whether someone filled in this block of another kind. Switches and user names do not count:
 * without credentials they are of no use.
 */
export function isFilledIn(node: TomlNode): boolean {
  if (node.kind === 'table') return [...node.children.values()].some(isFilledIn);
  return !/\.user(name)?$/i.test(node.key) && isFilledInValue(node.value);
}

/** The same for a variable of the environment. */
export function isFilledInVariable(name: string, value: string | undefined): boolean {
  return !/_USER(NAME)?$/.test(name) && isFilledInValue(value);
}

function isFilledInValue(value: unknown): boolean {
  const isSwitch = typeof value === 'boolean' || /^(true|false)$/i.test(String(value));
  return !isSwitch && !isMissing(value) && !PRINTED_BY_CDS.has(value);
}

/** What is said about a filled in block. */
export function otherKindMessage(kind: string): string {
  return `is filled in for ${OTHER_VCS_KINDS.get(kind) ?? kind}, but this vcs service serves Bitbucket Cloud only: remove it, and fill in [vcs.servers.NAME.bitbucketcloud]`;
}
