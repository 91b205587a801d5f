/** Where a value stands. */
export interface Slot {
  /**
   * The key as TOML writes it (`vcs.http.port`), or the name of an environment variable; empty for
   * the file as a whole.
   */
  key: string;
  /** The file, where several were given. */
  file?: string | undefined;
  /** Line in the file, from 1, where known. */
  line?: number | undefined;
}

/** Something wrong, or something to look at, in a configuration. Never holds a secret. */
export interface ConfigProblem extends Slot {
  message: string;
  level: 'error' | 'warning';
}

export function problemAt(
  { key, line, file }: Slot,
  level: ConfigProblem['level'],
  message: string,
): ConfigProblem {
  return { key, file, line, message, level };
}

const MAX_KEY_LENGTH = 200;

/**
 * One line for an operator: `line 12: vcs.http.port: …`, with its file in front where there are
 * several.
 */
export function formatProblem(problem: ConfigProblem): string {
  const key = problem.key.slice(0, MAX_KEY_LENGTH);
  const where = [problem.file ?? '', problem.line ? `line ${problem.line}` : '', key].filter(
    Boolean,
  );
  const sentence = [...where, problem.message].join(': ');
  return problem.level === 'warning' ? `warning: ${sentence}` : sentence;
}

/** A service cannot start with its configuration. Holds all problems, warnings too. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: ConfigProblem[]) {
    super(
      `The configuration has problems:\n${problems.map((p) => `  ${formatProblem(p)}`).join('\n')}`,
    );
  }
}
