import {
  type ConfigProblem,
  formatProblem,
  ConfigError,
  loadConfig,
  type LoadedConfig,
  type ServiceName,
} from '@cds/config';
import { CommandError } from './command-error';
import type { Context } from './context';

/** What `read` returns, or what `otherwise` makes of the problems of a wrong configuration. */
export function readOr<T, U>(read: () => T, otherwise: (problems: ConfigProblem[]) => U): T | U {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return otherwise(error.problems);
  }
}

/** Loads a configuration. Undefined when it is wrong: its problems are then on standard error. */
export function loadConfigOrSay(
  services: readonly ServiceName[],
  files: readonly string[] | undefined,
  context: Context,
): LoadedConfig | undefined {
  const { documents, env } = context;
  return readOr(
    () => loadConfig({ services, files, documents, env }),
    (problems) => {
      problems.forEach((problem) => context.say(formatProblem(problem)));
      return undefined;
    },
  );
}

/** The configuration of one service. @throws CommandError that ends with `advice` */
export function requireConfig<S extends ServiceName>(
  service: S,
  files: readonly string[] | undefined,
  context: Context,
  advice: string,
): NonNullable<LoadedConfig[S]> {
  const config = loadConfigOrSay([service], files, context)?.[service];
  if (config) return config;
  throw new CommandError(`the configuration of ${service} is not complete${advice}`);
}
