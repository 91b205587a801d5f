import {
  formatProblem,
  ConfigError,
  loadConfig,
  type LoadedConfig,
  type ServiceName,
} from '@cds/config';
import type { Context } from './context';

/** Loads a configuration. Undefined when it is wrong: its problems are then on standard error. */
export function loadConfigOrSay(
  services: readonly ServiceName[],
  files: readonly string[] | undefined,
  context: Context,
): LoadedConfig | undefined {
  try {
    return loadConfig({ services, files, documents: context.documents, env: context.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    error.problems.forEach((problem) => context.say(formatProblem(problem)));
    return undefined;
  }
}
