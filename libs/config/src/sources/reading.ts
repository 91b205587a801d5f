import type { ConfigProblem } from '../config-types';
import type { TomlTable } from '../toml/toml-tree';
import type { Environment } from './environment';

/** One reading of a configuration: where values come from, and what was found wrong on the way. */
export interface Reading {
  /** The whole file, or all files as one; undefined without any. */
  file: TomlTable | undefined;
  env: Environment;
  problems: ConfigProblem[];
}

/** Where a value stands: a key of the file, or the name of an environment variable. */
export interface Place {
  key: string;
  line?: number | undefined;
  /** Set where there are several files. */
  file?: string | undefined;
}

/** Adds a problem to those found so far. */
export function report(
  reading: Reading,
  level: ConfigProblem['level'],
  { key, line, file }: Place,
  message: string,
): void {
  reading.problems.push({
    key,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    message,
    level,
  });
}
