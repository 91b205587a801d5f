import { isMissing } from '../values/placeholder';

/** The variables of a process whose names begin with `CDS_`, without those that hold nothing. */
export interface Environment {
  /** The value of `name`, in capitals; undefined when unset, empty or a placeholder. */
  get(name: string): string | undefined;
  /** All names, in capitals. */
  names: readonly string[];
}

/**
 * Names match without regard to case. An empty variable counts as unset, as with CDS's own services,
 * and so does a placeholder: `config new --env` prints both.
 */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (!/^CDS_/i.test(name) || value === undefined || isMissing(value)) continue;
    const capitals = name.toUpperCase();
    // The name in capitals wins over other spellings of it.
    if (name === capitals || !values.has(capitals)) values.set(capitals, value);
  }
  return { get: (name) => values.get(name), names: [...values.keys()] };
}
