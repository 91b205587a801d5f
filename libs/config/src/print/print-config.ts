import { stringify } from 'smol-toml';
import { PRINTED_SECTIONS } from '../keys';
import { CONSUMER_PLACEHOLDER, SHARED_INFRA_PLACEHOLDER } from '../keys/common-sections';
import type { CdsVersions } from '../keys/key-type';
import { envName, type Key, type Section, type ServiceName } from '../keys/section';
import { CDS_VERSION_OF_TODAY, isCdsAtLeast, takesConsumerTokens } from '../values/cds-version';

export interface PrintOptions {
  services: readonly ServiceName[];
  /** The version of CDS that it is for, `0.41` for instance; today's when not given. */
  cds?: string | undefined;
  /** Printed in place of defaults and placeholders, by path: `vcs.api.token`. */
  values?: Readonly<Record<string, string>> | undefined;
  /** Leave `[log]` out, because the file has one already. */
  omitLog?: boolean | undefined;
}

const COMMENT_WIDTH = 96;

/** A configuration file with every key, its default, and a comment that says what it does. */
export function printConfig(o: PrintOptions): string {
  return printedSections(o)
    .map((section) => printSection(section, o))
    .join('\n');
}

/** The same as `export NAME="value"` lines for a shell, sorted by name. */
export function printEnv(o: PrintOptions): string {
  return printedSections(o)
    .flatMap(({ path, keys }) =>
      keys.map(
        (key) => `export ${envName([...path, key.name])}=${quote(printedValue(key, path, o))}\n`,
      ),
    )
    .sort()
    .join('');
}

/** The sections that are printed, in this order. */
function printedSections({ services, omitLog, cds = CDS_VERSION_OF_TODAY }: PrintOptions) {
  const names = omitLog ? services : [...services, 'log' as const];
  return names
    .flatMap((name) => PRINTED_SECTIONS[name])
    .filter(({ versions }) => isOf(cds, versions))
    .map((section) => ({
      ...section,
      keys: section.keys.filter((key) => !key.unprinted && isOf(cds, key)),
    }));
}

function isOf(cds: string, { since, before }: CdsVersions): boolean {
  const isLater = (first: string) => isCdsAtLeast(cds, first) === true;
  return (since === undefined || isLater(since)) && (before === undefined || !isLater(before));
}

/** What is printed as the value of a key. */
function printedValue(
  key: Key,
  path: readonly string[],
  { values = {}, cds = CDS_VERSION_OF_TODAY }: PrintOptions,
): Key['default'] {
  const given = values[[...path, key.name].join('.')];
  if (given !== undefined) return given;
  if (key.placeholder === CONSUMER_PLACEHOLDER && !takesConsumerTokens(cds))
    return SHARED_INFRA_PLACEHOLDER;
  return key.placeholder ?? key.printed ?? key.default;
}

function printSection({ comment, path, keys }: Section, o: PrintOptions): string {
  const lines = keys.map(
    (key) => `${key.unused ? '' : `\n${toComment(key.comment)}`}${printKey(key, path, o)}\n`,
  );
  return `${toComment(comment)}[${path.join('.')}]\n${lines.join('')}`;
}

function printKey(key: Key, path: readonly string[], o: PrintOptions): string {
  const literal = (value: Key['default']) => stringify({ [key.name]: value }).trimEnd();
  return key.example === undefined
    ? literal(printedValue(key, path, o))
    : `# ${literal(key.example)}`;
}

function toComment(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < COMMENT_WIDTH)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `# ${line}\n`).join('');
}

/** Double quotes, as CDS prints them; what a shell would take for its own in them is escaped. */
function quote(value: Key['default']): string {
  return `"${String(value).replace(/["\\$`]/g, '\\$&')}"`;
}
