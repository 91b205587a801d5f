import { PRINTED_SECTIONS } from '../keys';
import { CONSUMER_PLACEHOLDER, SHARED_INFRA_PLACEHOLDER } from '../keys/common-sections';
import type { CdsVersions, Key, Section, ServiceName } from '../keys/section';
import { CDS_VERSION_OF_TODAY, cdsMinor, takesConsumerTokens } from '../values/cds-version';

export interface PrintOptions {
  services: readonly ServiceName[];
  /** The version of CDS that it is for, `0.41` for instance; today's when not given. */
  cds?: string | undefined;
  /** Printed in place of defaults and placeholders, by path: `vcs.api.token`. */
  values?: Readonly<Record<string, string>> | undefined;
  /** Leave `[log]` out, because the file has one already. */
  omitLog?: boolean | undefined;
}

/** The sections that are printed, in this order. */
export function printedSections({ services, omitLog, cds }: PrintOptions): Section[] {
  const names = omitLog ? services : [...services, 'log' as const];
  const minor = cdsMinor(cds ?? CDS_VERSION_OF_TODAY) ?? 0;
  return names
    .flatMap((name) => PRINTED_SECTIONS[name])
    .filter(({ versions }) => isOf(minor, versions))
    .map((section) => ({
      ...section,
      keys: section.keys.filter((key) => !key.unprinted && isOf(minor, key)),
    }));
}

function isOf(minor: number, { since, before }: CdsVersions): boolean {
  const first = since === undefined ? 0 : (cdsMinor(since) ?? 0);
  const end = before === undefined ? Infinity : (cdsMinor(before) ?? 0);
  return minor >= first && minor < end;
}

/** What is printed as the value of a key. */
export function printedValue(
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
