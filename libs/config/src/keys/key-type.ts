import type * as z from 'zod';

/** What reading and documenting a value need to know besides its schema. */
export interface KeyType {
  /** What would be right, in the words of the reference and of error messages. */
  expected: string;
  /** Turns the text of a variable into what a file would hold; undefined where it cannot. */
  fromVariable?: (text: string) => unknown;
  /** Its variable may name a file instead: `CDS_VCS_API_TOKEN_FILE`. */
  isSecret?: true;
  /** The parts of a value that are secret; the whole of it when not given. */
  secretParts?: (text: string) => string[];
  /** What is odd about a value that is accepted. Never quotes it: it may hold a secret. */
  warn?(value: unknown): string | undefined;
}
const types = new WeakMap<z.ZodType, KeyType>();

/** What is known of a schema that was made by a {@link keyType}. */
export function typeOf(schema: z.ZodType): KeyType {
  return types.get(schema) ?? { expected: 'anything' };
}

/** The versions of CDS that a key or a table is of use with; all where nothing is said. */
export interface CdsVersions {
  /** The first one. */
  since?: string;
  /** The first one that it is of no use with. */
  before?: string;
}

/** What may be said of a key besides its type and description. */
export interface KeyMeta extends CdsVersions {
  /** The key as it is printed, where the configuration of a service names it differently. */
  name?: string;
  /** Printed where there is no default, and counts as missing: the operator has to fill it in. */
  placeholder?: string;
  /** Has a default, but may not be set to an empty text. */
  notEmpty?: true;
  /** Printed behind a `#`, with this value. */
  example?: string;
  /** Accepted because CDS's own services have it, or our other service; nothing reads it. */
  unused?: true;
  /** Not in a printed configuration: the operator of a new service has no use for it. */
  unprinted?: true;
  /** Printed instead of the default, which stands for it. */
  printed?: string;
}

/**
 * A type that keys may have: a function that makes the schema of one key.
 *
 * @returns takes the description, one or more sentences for the operator
 */
export function keyType<S extends z.ZodType>(
  schema: S,
  type: Omit<KeyType, 'warn'> & { warn?(value: z.input<S>): string | undefined },
) {
  return (description: string, meta: KeyMeta = {}): S => {
    const made = schema.meta({ ...meta, description });
    types.set(made, type);
    return made;
  };
}
