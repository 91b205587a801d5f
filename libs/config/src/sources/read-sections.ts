import type * as z from 'zod';
import { envName, type Key, type Section, type Sections, type Values } from '../keys/section';
import { findTable, type TomlTable } from '../toml/toml-tree';
import { isMissing } from '../values/placeholder';
import type { Slot } from '../config-problem';
import type { Reading } from './reading';
import { fileVariable } from './secret-variables';

/** Where a section is read from, where it differs from what its path says. */
export interface SectionPlace {
  table: TomlTable | undefined;
  /** Names of the environment variable of a key; the first that is set counts. */
  envNames: (key: string) => string[];
}

/**
 * Reads all keys of `sections`: the environment, then the file, then the default. What is wrong is
 * reported; the result is only to be used when nothing is.
 */
export function readSections<T extends Sections>(
  reading: Reading,
  sections: T,
  placeOf: (section: Section) => SectionPlace = ({ path }) => ({
    table: findTable(reading.file, path),
    envNames: (key) => [envName([...path, key])],
  }),
): Values<T> {
  const values = Object.entries(sections).map(([name, section]) => {
    const place = placeOf(section);
    const ofKeys: Record<string, unknown> = {};
    // What nothing reads is never wrong.
    for (const key of section.keys.filter(({ unused }) => !unused))
      ofKeys[key.property] = readKey(reading, section, key, place);
    return [name, ofKeys] as const;
  });
  return Object.fromEntries(values) as Values<T>;
}

function readKey(
  reading: Reading,
  { path }: Section,
  key: Key,
  { table, envNames }: SectionPlace,
): unknown {
  const names = envNames(key.name);
  for (const name of names) {
    const text = reading.env.get(name);
    if (text !== undefined) return readVariable(reading, key, name, text) ?? key.fallback;
  }
  // What is wrong with its file is said already.
  const files = names.map(fileVariable);
  if (reading.env.problems.some(({ variable }) => files.includes(variable))) return key.fallback;
  const node = table?.children.get(key.name.toLowerCase());
  const place = node ?? { ...table, key: [...path, key.name].join('.') };
  const value = node?.kind === 'table' ? {} : node?.value;
  if (!isMissing(value)) return check(reading, key, place, value) ?? key.fallback;
  if (key.required && (node || key.default === ''))
    reading.error(place, `is missing: fill it in, or set ${names[0] ?? ''}. ${key.comment}`);
  return key.fallback;
}

function readVariable(reading: Reading, key: Key, name: string, text: string): unknown {
  const { expected, fromVariable } = key.type;
  const value = fromVariable ? fromVariable(text) : text;
  const place = { key: reading.env.givenBy(name) };
  if (value !== undefined) return check(reading, key, place, value);
  reading.error(place, `must be ${expected}`);
  return undefined;
}

/** The value as services use it; undefined where it is wrong, which is reported. */
function check(reading: Reading, key: Key, place: Slot, value: unknown): unknown {
  const { data, error } = key.schema.safeParse(value);
  const [issue] = error?.issues ?? [];
  const warning = issue ? undefined : key.type.warn?.(value);
  if (key.type.isSecret) reading.noteSecret(value, key.type.secretParts);
  if (issue) reading.error(place, explain(issue, key, value));
  if (warning) reading.warning(place, warning);
  return data;
}

/** Never quotes a text: it may hold a secret. */
function explain(issue: z.core.$ZodIssue, { schema, type }: Key, value: unknown): string {
  if (issue.code === 'custom') return issue.message;
  const wrong = `must be ${type.expected}`;
  if (!['invalid_type', 'too_small', 'too_big'].includes(issue.code)) return wrong;
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  return `${wrong}; it is ${isNumber && schema.type === 'number' ? value : typeName(value)}`;
}

function typeName(value: unknown): string {
  if (typeof value === 'string') return 'a text in quotes';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  if (typeof value === 'boolean') return 'true or false';
  if (Array.isArray(value)) return 'a list';
  return value instanceof Date ? 'a date' : 'a table';
}
