import { envName, type KeyDescriptor, type SectionDescriptor } from '../descriptors';
import { findTable, type TomlTable } from '../toml/toml-tree';
import { checkEnvValue, checkValue, type ConfigValue, type Verdict } from '../values/check-value';
import { isMissing } from '../values/placeholder';
import { ConfigValues } from './config-values';
import { report, type Place, type Reading } from './reading';

/** Where a section is read from, where it differs from what its path says. */
export interface SectionPlace {
  table: TomlTable | undefined;
  /** Names of the environment variable of a key; the first that is set counts. */
  envNames: (key: string) => string[];
}

/** Reads all keys of `sections`: the environment, then the file, then the default. */
export function readSections(
  reading: Reading,
  sections: readonly SectionDescriptor[],
  placeOf: (section: SectionDescriptor) => SectionPlace = (section) => ({
    table: findTable(reading.file, section.path),
    envNames: (key) => [envName([...section.path, key])],
  }),
): ConfigValues {
  const values = new ConfigValues();
  for (const section of sections) {
    const place = placeOf(section);
    for (const key of section.keys)
      values.set([...section.path, key.name], readKey(reading, section, key, place));
  }
  return values;
}

function readKey(
  reading: Reading,
  section: SectionDescriptor,
  key: KeyDescriptor,
  { table, envNames }: SectionPlace,
): ConfigValue {
  const names = envNames(key.name);
  const variable = names.find((name) => reading.env.get(name) !== undefined);
  const text = variable && reading.env.get(variable);
  if (variable && text)
    return settle(reading, key, { key: variable }, checkEnvValue(key.rule, text));

  const node = table?.children.get(key.name.toLowerCase());
  const place: Place = node ?? {
    key: [...section.path, key.name].join('.'),
    line: table?.line,
    file: table?.file,
  };
  if (node?.kind === 'table')
    return settle(reading, key, place, checkValue(key.rule, Object.create(null)));
  if (node && !isMissing(node.value))
    return settle(reading, key, place, checkValue(key.rule, node.value));
  if (key.required && (node || key.default === '')) {
    report(
      reading,
      'error',
      place,
      `is missing: fill it in${names[0] ? `, or set ${names[0]}` : ''}. ${key.comment}`,
    );
  }
  return key.default;
}

function settle(reading: Reading, key: KeyDescriptor, place: Place, verdict: Verdict): ConfigValue {
  // What nothing reads is never wrong.
  if (key.unused) return key.default;
  if ('error' in verdict) {
    report(reading, 'error', place, verdict.error);
    return key.default;
  }
  if (verdict.warning) report(reading, 'warning', place, verdict.warning);
  return verdict.value;
}
