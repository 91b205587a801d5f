import * as z from 'zod';
import { type CdsVersions, type KeyMeta, type KeyType, typeOf } from './key-type';

/** The services that this project provides. */
export const SERVICE_NAMES = ['vcs', 'hooks'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** One key: all that printing, reading, checking and documenting need to know of it. */
export interface Key extends Omit<KeyMeta, 'name'> {
  /** The key as it is printed; matched without regard to case. */
  name: string;
  /** What the configuration of a service calls it. */
  property: string;
  comment: string;
  /** Checks a value and turns it into what services use. */
  schema: z.ZodType;
  type: KeyType;
  /** As it is printed. */
  default: string | number | boolean | readonly string[];
  /** What services use where nothing is given. */
  fallback: unknown;
  /** A service cannot start without a value, or with an empty one. */
  required: boolean;
}

/** One table of the configuration. */
export interface Section<S extends z.ZodRawShape = z.ZodRawShape> {
  /** Segments of the table's name as they are printed. */
  path: readonly string[];
  /** What the table is about. */
  comment: string;
  /** By property: the schema of each key, with its description and default. */
  shape: S;
  keys: readonly Key[];
  /** The versions of CDS that it is of use with. */
  versions: CdsVersions;
}
export type Sections = Readonly<Record<string, Section>>;

/** What is read of some sections, by their names; of unused keys nothing is. */
export type Values<T extends Sections> = {
  [K in keyof T]: OfUsed<z.output<z.ZodObject<T[K]['shape']>>>;
};
type OfUsed<T> = { [K in keyof T as unknown extends T[K] ? never : K]: T[K] };

/**
 * Declares a table.
 *
 * @param shape keys that have no default have to be filled in
 */
export function section<S extends Record<string, z.ZodType>>(
  path: string,
  comment: string,
  shape: S,
  versions: CdsVersions = {},
): Section<S> {
  const keys = Object.entries(shape).map(([property, schema]) => toKey(property, schema));
  return { path: path.split('.'), comment, shape, keys, versions };
}

function toKey(property: string, schema: z.ZodType): Key {
  const hasDefault = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  const bare = hasDefault ? (schema.unwrap() as z.ZodType) : schema;
  const {
    description,
    name = property,
    ...rest
  } = bare.meta() as KeyMeta & { description: string };
  return {
    ...rest,
    name,
    property,
    comment: description,
    schema: bare,
    type: typeOf(bare),
    default: hasDefault ? (schema.def.defaultValue as Key['default']) : '',
    fallback: hasDefault ? schema.parse(undefined) : '',
    required: !hasDefault || rest.notEmpty === true,
  };
}

/** A key that is accepted and that nothing reads. */
export function unused(value: Key['default'], description = 'Not used.', meta: KeyMeta = {}) {
  return z
    .unknown()
    .meta({ ...meta, description, unused: true })
    .default(value);
}

/** The same, and not printed. */
export function unusedAndUnprinted(value: Key['default'], description: string) {
  return unused(value, description, { unprinted: true });
}

/** The name under which the environment overrides a key: `CDS_VCS_API_TOKEN`. */
export function envName(path: readonly string[]): string {
  return ['CDS', ...path].join('_').toUpperCase();
}
