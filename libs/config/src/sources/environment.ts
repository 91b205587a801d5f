import type { ServiceName } from '../keys/section';
import { isMissing } from '../values/placeholder';
import { readSecretFile } from './secret-file';
import { fileVariable, secretOfFileVariable } from './secret-variables';

/** A secret that a file holds. */
export interface SecretFile {
  /** The variable that stands for the value: `CDS_VCS_API_TOKEN`. */
  variable: string;
  /** What `CDS_VCS_API_TOKEN_FILE` names. */
  file: string;
  /** Without the line break at its end. */
  value: string;
}

export type Environment = ReturnType<typeof readEnvironment>;

/**
 * The variables of a process whose names begin with `CDS_`, without those that hold nothing.
 * Names match without regard to case. An empty variable counts as unset, as with CDS's own
 * services, and so does a placeholder: `config new --env` prints both.
 * @param services those whose secrets are read from files
 */
export function readEnvironment(env: NodeJS.ProcessEnv, services: readonly ServiceName[]) {
  const values = readValues(env);
  const secretFiles: SecretFile[] = [];
  const problems: { variable: string; message: string }[] = [];
  for (const [variable, file] of [...values]) {
    const secret = secretOfFileVariable(variable, services);
    if (secret === undefined) continue;
    values.delete(variable);
    const read = values.has(secret)
      ? { problem: `is given beside ${secret}: keep one of the two` }
      : readSecretFile(file);
    if ('problem' in read) problems.push({ variable, message: read.problem });
    else secretFiles.push({ variable: secret, file, value: read.value });
  }
  for (const { variable, value } of secretFiles) values.set(variable, value);
  const fromFiles = new Set(secretFiles.map(({ variable }) => variable));
  return {
    /** The value of `name`, in capitals; undefined when unset, empty or a placeholder. */
    get: (name: string) => values.get(name),
    /** All names, in capitals; that of the secret for one that names its file. */
    names: [...values.keys()],
    /** The variable that gave the value of `name`: it, or the one that names its file. */
    givenBy: (name: string) => (fromFiles.has(name) ? fileVariable(name) : name),
    /** Secrets that were read from files. */
    secretFiles,
    /** What is wrong with variables that name files. */
    problems,
  };
}

function readValues(env: NodeJS.ProcessEnv): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (!/^CDS_/i.test(name) || value === undefined || isMissing(value)) continue;
    const capitals = name.toUpperCase();
    // The name in capitals wins over other spellings of it.
    if (name === capitals || !values.has(capitals)) values.set(capitals, value);
  }
  return values;
}
