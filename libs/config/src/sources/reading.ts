import { problemAt, type ConfigProblem, type Slot } from '../config-problem';
import { findNode, type TomlTable } from '../toml/toml-tree';
import { envName } from '../keys/section';
import { isMissing } from '../values/placeholder';
import type { Environment } from './environment';

/** One reading of a configuration: where values come from, and what was found wrong on the way. */
export class Reading {
  /** The values of all secret keys that were read. */
  readonly secrets = new Set<string>();

  /** @param file the whole file, or all files as one; undefined without any */
  constructor(
    readonly file: TomlTable | undefined,
    readonly env: Environment,
    readonly problems: ConfigProblem[],
  ) {}

  /** Where the key or table at `path` stands; its name alone where the file does not have it. */
  placeOf(...path: readonly string[]): Slot {
    return (this.file && findNode(this.file, path)) ?? { key: path.join('.') };
  }

  /** Where the value of the key at `path` was given: its variable counts before the file. */
  givenAt(...path: readonly string[]): Slot {
    const variable = envName(path);
    return this.env.get(variable) === undefined
      ? this.placeOf(...path)
      : { key: this.env.givenBy(variable) };
  }

  /** Whether the environment or the file says anything for the key at `path`. */
  isGiven(...path: readonly string[]): boolean {
    if (this.env.get(envName(path)) !== undefined) return true;
    const node = this.file && findNode(this.file, path);
    return node !== undefined && !(node.kind === 'leaf' && isMissing(node.value));
  }

  /** Keeps a value of a secret key, a text or several. */
  noteSecret(value: unknown, partsOf: (text: string) => string[] = (text) => [text]): void {
    const texts = (Array.isArray(value) ? value : [value]).filter(
      (each) => typeof each === 'string',
    );
    for (const part of texts.flatMap((text) => partsOf(text)))
      if (part.trim() !== '') this.secrets.add(part.trim());
  }

  error(place: Slot, message: string): void {
    this.problems.push(problemAt(place, 'error', message));
  }

  warning(place: Slot, message: string): void {
    this.problems.push(problemAt(place, 'warning', message));
  }
}
