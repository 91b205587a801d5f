import { parseArgs } from 'node:util';
import { formatProblem, isConfigError, type ConfigProblem } from './config-problem';
import type { LoadedConfig } from './config-types';
import { badConfigExitCode, EXIT_USAGE } from './exit-codes';
import type { ServiceName } from './keys/section';
import { loadConfig } from './load-config';

/**
 * What the bundle of a service does with its command line: `--config FILE`, `--help`.
 * Ends the process with 0 after printing the usage, {@link EXIT_USAGE} on an unknown option, and
 * {@link badConfigExitCode}, with every problem on stderr, when the service cannot start with its
 * configuration.
 *
 * @returns the configuration, and its warnings, for the log
 */
export function configFromCommandLine<S extends ServiceName>(
  service: S,
  args = process.argv.slice(2),
  env = process.env,
): { config: Required<LoadedConfig>[S]; warnings: ConfigProblem[] } {
  const usage = `usage: ${service} [--config FILE]…\n\nStarts the ${service} service: defaults, then the files, then the environment (CDS_${service.toUpperCase()}_…).\n`;
  const { config: files, help } = readArguments(args, usage);
  if (help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  try {
    const { [service]: config, warnings } = loadConfig({ services: [service], files, env });
    if (!config) throw new Error(`the configuration has no section [${service}]`);
    return { config: config as Required<LoadedConfig>[S], warnings };
  } catch (error) {
    const sentences = isConfigError(error)
      ? error.problems.map(formatProblem)
      : [error instanceof Error ? error.message : String(error)];
    process.stderr.write(sentences.map((sentence) => `${service}: ${sentence}\n`).join(''));
    process.exit(badConfigExitCode(env));
  }
}

function readArguments(args: string[], usage: string) {
  try {
    return parseArgs({
      args,
      options: {
        config: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(EXIT_USAGE);
  }
}
