import type { TomlNode } from '../toml/toml-tree';
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

/**
 * Whether someone filled in this block of another kind. Switches, numbers, URLs and user names do
 * not count: CDS prints some, and without credentials they are of no use.
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
  const isDetail = /^(true|false|\d+|https?:\/\/.*)$/i.test(String(value).trim());
  return !isDetail && !isMissing(value);
}

/** What is said about a filled in block. */
export function otherKindMessage(kind: string): string {
  return `is filled in for ${OTHER_VCS_KINDS.get(kind) ?? kind}, but this vcs service serves Bitbucket Cloud only: remove it, and fill in [vcs.servers.NAME.bitbucketcloud]`;
}
