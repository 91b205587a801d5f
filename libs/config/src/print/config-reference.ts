import { PRINTED_SECTIONS } from '../keys';
import { envName, type Key, type Section } from '../keys/section';

const INTRODUCTION = `# Configuration

\`\`\`sh
engine config new vcs hooks > cds.toml    # every key, with its default and what it does
engine config new --cds 0.41 > cds.toml   # the same for an earlier version of CDS
engine config new vcs hooks --env         # the same as variables of the environment
engine config check cds.toml              # everything that is wrong, with key and line
\`\`\`

- A variable counts before a file, a file before the default, a later file before an earlier one. A
  service also starts from variables alone.
- A variable is \`CDS_\` and the path of the key in capitals, joined by \`_\`; lists have commas:
  \`CDS_HOOKS_HTTP_TRUSTEDPROXIES=10.0.0.0/8,192.0.2.7\`.
- Case of keys does not matter. Names of servers, \`bitbucketcloud\` below, become lower case.
- An empty variable, and a placeholder such as \`xxxxx\`, count as not set.
- A secret (${secretKeys()}) may stand in
  a file, without the line break at its end: \`CDS_VCS_API_TOKEN_FILE=/run/secrets/token\`. A variable
  and its \`_FILE\` may not both be set. [When such a file changes](operator-guide.md#secrets)

\`tools/build/update-config-reference.mts\` writes this page from \`libs/config/src/keys\`.
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

/** `docs/configuration.md`: the configuration, key by key. Formatted as Prettier would. */
export function configReference(): string {
  return [INTRODUCTION, ...Object.values(PRINTED_SECTIONS).flat().map(describeSection)].join('\n');
}

function describeSection({ path, comment, keys, versions }: Section): string {
  const unprinted = keys.filter((key) => key.unprinted);
  const others = [...new Set(unprinted.map(({ comment: why }) => why))].map((why) => {
    const names = unprinted.filter((key) => key.comment === why).map(({ name }) => `\`${name}\``);
    return `- ${names.join(', ')}: ${why}\n`;
  });
  const printed = keys.filter((key) => !key.unprinted);
  const items = printed.map(
    (key) =>
      `- \`${key.name}\`: ${meaning(key)}\n  ${byDefault(key)}, variable \`${envName([...path, key.name])}\`.\n`,
  );
  return `## \`[${path.join('.')}]\`\n\n${comment}${ofVersions(versions)}\n\n${[...items, ...others].join('')}`;
}

/** Comments of keys say it themselves. */
function ofVersions({ before }: Section['versions']): string {
  return before === undefined ? '' : ` Of use before CDS ${before}.`;
}

function meaning({ comment, schema, type }: Key): string {
  return schema.type === 'number' ? `${comment} ${capitalise(type.expected)}.` : comment;
}

function byDefault(key: Key): string {
  if (key.required && key.default === '') return '**To be filled in**';
  return `Default \`${JSON.stringify(key.default)}\``;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
