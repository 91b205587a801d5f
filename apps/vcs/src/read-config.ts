import { parseArgs } from 'node:util';
import {
  formatProblem,
  isConfigError,
  loadConfig,
  type ConfigProblem,
  type VcsConfig,
} from '@cds/config';

/**
 * The configuration: defaults, then the file of `--config`, then the environment.
 * @throws Error whose message says all that is wrong, a line each
 */
export function readConfig(
  args: string[],
  env: NodeJS.ProcessEnv,
): { config: VcsConfig; warnings: ConfigProblem[] } {
  const { values } = parseArgs({ args, options: { config: { type: 'string' } } });
  try {
    const { vcs, warnings } = loadConfig({ services: ['vcs'], file: values.config, env });
    if (!vcs) throw new Error('the configuration has no [vcs] section');
    return { config: vcs, warnings };
  } catch (error) {
    if (!isConfigError(error)) throw error;
    throw new Error(error.problems.map(formatProblem).join('\n'), { cause: error });
  }
}
