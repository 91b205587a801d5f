import { z } from 'zod';
import { typeOf, type KeyType } from './value-types';

/** The services that this project provides. */
export const SERVICE_NAMES = ['vcs', 'hooks'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The versions of CDS that a key or a table is of use with; all where nothing is said. */
const versions = z.object({
  /** The first one. */
  since: z.string().optional(),
  /** The first one that it is of no use with. */
  before: z.string().optional(),
});
export type CdsVersions = z.output<typeof versions>;

/** What the metadata of a key's schema may say besides its type; `description` is zod's own. */
const flags = z.strictObject({
  /** One or more sentences for the operator. */
  description: z.string(),
  /** The key as it is printed, where the configuration of a service names it differently. */
  name: z.string().optional(),
  /** Printed where there is no default, and counts as missing: the operator has to fill it in. */
  placeholder: z.string().optional(),
  /** Has a default, but may not be set to an empty text. */
  notEmpty: z.literal(true).optional(),
  /** Printed behind a `#`, with this value. */
  example: z.string().optional(),
  /** Accepted because CDS's own services have it, or our other service; nothing reads it. */
  unused: z.literal(true).optional(),
  /** Not in a printed configuration: the operator of a new service has no use for it. */
  unprinted: z.literal(true).optional(),
  /** Printed instead of the default, which stands for it. */
  printed: z.string().optional(),
  ...versions.shape,
});

/** One key: all that printing, reading, checking and documenting need to know of it. */
export interface Key extends Omit<z.output<typeof flags>, 'description' | 'name'> {
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
  /** By property: the schema of each key, with its default, `describe` and `meta`. */
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
  const { description, name = property, ...rest } = flags.parse(schema.meta() ?? {});
  const hasDefault = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  const bare = hasDefault ? (schema.unwrap() as z.ZodType) : schema;
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
export function unused(value: Key['default'], comment = 'Not used.') {
  return z.unknown().default(value).describe(comment).meta({ unused: true });
}

/** The same, and not printed. */
export function unusedAndUnprinted(value: Key['default'], comment: string) {
  return unused(value, comment).meta({ unused: true, unprinted: true });
}

/** The name under which the environment overrides a key: `CDS_VCS_API_TOKEN`. */
export function envName(path: readonly string[]): string {
  return ['CDS', ...path].join('_').toUpperCase();
}
