/** What a value must be. */
export type Rule =
  | { kind: 'text' }
  /**
   * A text that a file or `echo` may have given a line break at its end: it counts, since what is
   * in use was made with it. `lineBreak` says how to get rid of it.
   */
  | { kind: 'secret'; lineBreak: string }
  /** Absolute http or https URL, without credentials, query or fragment. */
  | { kind: 'url' }
  /** Address or host name to listen on, without a port. */
  | { kind: 'address' }
  | { kind: 'redis' }
  | { kind: 'key-prefix' }
  | { kind: 'log-level' }
  | { kind: 'one-of'; values: readonly string[] }
  /** Of each that ends with a line break both forms count, with it and without. */
  | { kind: 'secrets' }
  /** IP addresses, or networks as `10.0.0.0/8`. */
  | { kind: 'networks' }
  /** Host names (`*.example.com`), IP addresses, networks, or `*`. */
  | { kind: 'targets' }
  | { kind: 'integer'; min: number; max?: number }
  | { kind: 'boolean' };

/** One key of the configuration: all that printing, reading, checking and documenting need to know of it. */
export interface KeyDescriptor {
  /** As it is printed; matched without regard to case. */
  name: string;
  default: string | number | boolean | readonly string[];
  rule: Rule;
  /** One or more sentences for the operator. */
  comment: string;
  /** Printed in place of the default, and counts as missing: the operator has to fill it in. */
  placeholder?: string;
  /** There is no starting without a value. */
  required?: true;
  /** Printed behind a `#`, with this value. */
  example?: string;
  /** Accepted because CDS's own services have it, or our other service; nothing reads it. */
  unused?: true;
}

/** One table of the configuration. */
export interface SectionDescriptor {
  /** Segments of the table's name as they are printed. */
  path: readonly string[];
  /** What the table is about. */
  comment: string;
  keys: readonly KeyDescriptor[];
}

/** The name under which the environment overrides a key: `CDS_VCS_API_TOKEN`. */
export function envName(path: readonly string[]): string {
  return ['CDS', ...path].join('_').toUpperCase();
}
