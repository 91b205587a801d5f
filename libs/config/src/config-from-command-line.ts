import { parseArgs } from 'node:util';
import { ConfigError, type ConfigProblem, formatProblem } from './config-problem';
import type { LoadedConfig } from './config-types';
import { badConfigExitCode, EXIT_USAGE } from './exit-codes';
import type { ServiceName } from './keys/section';
import { type ConfigSources, loadConfig } from './load-config';
import { readRemoteConfig } from './remote/read-remote-config';
import { REMOTE_OPTIONS, RemoteConfigError, type RemoteOptions } from './remote/remote-sources';

const REMOTE = Object.fromEntries(
  REMOTE_OPTIONS.map(([name]) => [name, { type: 'string' }] as const),
);
/** Restarted by what supervises it: a store that is away may be back then. */
const EXIT_UNREACHABLE = 1;

/** What a service was started with. */
export interface StartConfig<S extends ServiceName> {
  config: Required<LoadedConfig>[S];
  /** For the log. */
  warnings: ConfigProblem[];
  /** Where it was read from. */
  sources: ConfigSources;
}

/**
 * What the bundle of a service does with its command line: `--config FILE`, the options of Vault
 * and Consul, `--help`.
 * Ends the process with 0 after printing the usage, {@link EXIT_USAGE} on an unknown option, 1 when
 * Vault or Consul cannot be reached, and {@link badConfigExitCode}, with every problem on stderr,
 * when the service cannot start with its configuration.
 */
export async function configFromCommandLine<S extends ServiceName>(
  service: S,
  args = process.argv.slice(2),
  env = process.env,
): Promise<StartConfig<S>> {
  const options = REMOTE_OPTIONS.map(([name]) => ` [--${name} …]`).join('');
  const usage = `usage: ${service} [--config FILE]…${options}\n\nStarts the ${service} service: defaults, then the files, then Vault and Consul, then the environment (CDS_${service.toUpperCase()}_…).\n`;
  const { help, files, remote } = readArguments(args, usage);
  if (help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const say = (sentence: string) => process.stderr.write(`${service}: ${sentence}\n`);
  try {
    const documents = await readRemoteConfig({
      ...{ options: remote, hasFiles: files.length > 0, env, onRetry: say },
    });
    const sources = { files, documents };
    const { [service]: config, warnings } = loadConfig({ services: [service], ...sources, env });
    if (!config) throw new Error(`the configuration has no section [${service}]`);
    return { config: config as Required<LoadedConfig>[S], warnings, sources };
  } catch (error) {
    if (error instanceof ConfigError) error.problems.map(formatProblem).forEach(say);
    else say(error instanceof Error ? error.message : String(error));
    const mayPass = error instanceof RemoteConfigError && error.mayPass;
    process.exit(mayPass ? EXIT_UNREACHABLE : badConfigExitCode(env));
  }
}

function readArguments(args: string[], usage: string) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        ...REMOTE,
        config: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const remote = values as Record<string, string | undefined>;
    return {
      help: values.help === true,
      files: values.config ?? [],
      remote: Object.fromEntries(
        REMOTE_OPTIONS.map(([name, property]) => [property, remote[name]]),
      ) as RemoteOptions,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(EXIT_USAGE);
  }
}
