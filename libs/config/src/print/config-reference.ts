import { PRINTED_SECTIONS } from '../keys';
import { envName, type Key, type Section } from '../keys/section';

const INTRODUCTION = `# Configuration

[To print and check a file](operator-guide.md#write-the-configuration)

- \`SERVICE\` is \`vcs\` or \`hooks\`. In brackets are the default, unless it is empty or \`false\`, the
  range, and the variable. Lists have commas: \`CDS_HOOKS_HTTP_TRUSTEDPROXIES=10.0.0.0/8,192.0.2.7\`.
- A variable counts before a file, a file before the default, a later file before an earlier one. No
  file is needed.
- Case of keys does not matter. Names of servers, \`bitbucketcloud\` below, become lower case.
- An empty variable, and a placeholder such as \`xxxxx\`, count as not set.
- A secret may stand in [a file](operator-guide.md#secrets), without the line break at its end:
  \`CDS_VCS_API_TOKEN_FILE=/run/secrets/token\`. Secrets are ${secretKeys()}.
`;

function secretKeys(): string {
  const keys = Object.values(PRINTED_SECTIONS).flatMap((sections) =>
    sections.flatMap(({ keys: ofSection }) => ofSection),
  );
  const names = keys.filter(({ type }) => type.isSecret).map(({ name }) => name);
  return [...new Set(names)]
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ');
}

/** A key, with the default that it has at the other service where they differ. */
interface DescribedKey extends Key {
  defaultOfHooks?: Key['default'];
}
type DescribedSection = Omit<Section, 'keys'> & { keys: readonly DescribedKey[] };

/** `docs/configuration.md`: the configuration, key by key. Formatted as oxfmt would. */
export function configReference(): string {
  const { vcs, hooks, log } = PRINTED_SECTIONS;
  const shared = vcs.flatMap((section) => sharedSection(section, hooks));
  const isShared = (path: readonly string[], { name }: Key) =>
    shared.some(
      (each) =>
        each.path.slice(1).join() === path.slice(1).join() &&
        each.keys.some((key) => key.name === name),
    );
  const own = [...vcs, ...hooks]
    .map((section) => ({
      ...section,
      keys: section.keys.filter((key) => !isShared(section.path, key)),
    }))
    .filter(({ keys }) => keys.length > 0);
  return [INTRODUCTION, ...[...shared, ...own, ...log].map(describeSection)].join('\n');
}

/** What a section of `vcs` has in common with that of `hooks`, as `[SERVICE.…]`. */
function sharedSection(ofVcs: Section, sections: readonly Section[]): DescribedSection[] {
  const [, ...rest] = ofVcs.path;
  const ofHooks = sections.find(({ path }) => path.slice(1).join() === rest.join());
  const keys = ofVcs.keys.flatMap((key): DescribedKey[] => {
    const other = ofHooks?.keys.find(({ name }) => name === key.name);
    return other?.comment === key.comment ? [{ ...key, defaultOfHooks: other.default }] : [];
  });
  const comment = ofVcs.comment === ofHooks?.comment ? ofVcs.comment : '';
  return keys.length === 0 ? [] : [{ ...ofVcs, path: ['SERVICE', ...rest], comment, keys }];
}

function describeSection({ path, comment, keys, versions }: DescribedSection): string {
  const unprinted = keys.filter((key) => key.unprinted);
  const others = [...new Set(unprinted.map(({ comment: why }) => why))].map((why) => {
    const names = unprinted.filter((key) => key.comment === why).map(({ name }) => `\`${name}\``);
    return `- ${names.join(', ')}: ${why}\n`;
  });
  const variable = ({ name }: Key) => `\`${envName([...path, name])}\``;
  const printed = keys.filter((key) => !key.unprinted);
  const items = printed
    .filter((key) => !key.unused)
    .map(
      (key) =>
        `- \`${key.name}\` (${byDefault(key)}${range(key)}${variable(key)}): ${key.comment}\n`,
    );
  const unused = printed.filter((key) => key.unused).map(variable);
  if (unused.length > 0) items.push(`- Not used: ${unused.join(', ')}\n`);
  const about = keys.every((key) => key.unused) ? '' : `${comment}${ofVersions(versions)}`;
  return [`## \`[${path.join('.')}]\``, about, [...items, ...others].join('')]
    .filter((text) => text !== '')
    .join('\n\n');
}

/** Comments of keys say it themselves. */
function ofVersions({ before }: Section['versions']): string {
  return before === undefined ? '' : ` Of use before CDS ${before}.`;
}

/** `1–3600, ` for "a whole number from 1 to 3600". */
function range({ schema, type }: Key): string {
  if (schema.type !== 'number') return '';
  const [, min = '', max] = /from (\d+)(?: to (\d+))?/.exec(type.expected) ?? [];
  return max === undefined ? `≥ ${min}, ` : `${min}–${max}, `;
}

function byDefault({ required, default: value, defaultOfHooks = value }: DescribedKey): string {
  if (isEmpty(value)) return required ? '**required**, ' : '';
  const [first, second] = [value, defaultOfHooks].map((each) => `\`${JSON.stringify(each)}\``);
  return first === second ? `${first}, ` : `${first}, of hooks ${second}, `;
}

function isEmpty(value: Key['default']): boolean {
  return value === '' || value === false || (Array.isArray(value) && value.length === 0);
}
