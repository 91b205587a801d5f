import { statSync } from 'node:fs';
import {
  type ConfigProblem,
  formatProblem,
  isConfigError,
  loadConfig,
  type LoadedConfig,
  readConfigFile,
  readConfigFiles,
  type ConfigSources,
  type ServiceName,
  servicesOf,
} from '@cds/config';
import { type Check, failed, ok, type Outcome, warning } from '../finding';

/** More of them nobody reads at a time: `engine config check` has all. */
const MAX_PROBLEMS = 20;

export interface ReadConfiguration {
  /** Undefined where it is wrong. */
  config: LoadedConfig | undefined;
  services: readonly ServiceName[];
  check: Check;
}

/** Reads the configuration as `engine start` does, of the services that the files have. */
export function readConfiguration(
  sources: ConfigSources,
  env: NodeJS.ProcessEnv,
): ReadConfiguration {
  let services: readonly ServiceName[] = [];
  let config: LoadedConfig | undefined;
  let problems: ConfigProblem[];
  try {
    services = servicesOf(readConfigFiles(sources.files ?? [], sources.documents), env);
    config = loadConfig({ services, ...sources, env });
    problems = config.warnings;
  } catch (error) {
    if (!isConfigError(error)) throw error;
    ({ problems } = error);
  }
  const outcomes = problems.slice(0, MAX_PROBLEMS).map(outcomeOf);
  if (config) outcomes.unshift(ok(`the configuration of ${services.join(' and ')} is valid`));
  return { config, services, check: { id: 'config', run: () => Promise.resolve(outcomes) } };
}

function outcomeOf(problem: ConfigProblem): Outcome {
  const fix = 'docs/configuration.md has every key; engine config check FILE --env says it again';
  const sentence = formatProblem(problem).replace(/^warning: /, '');
  return problem.level === 'error' ? failed(sentence, fix) : warning(sentence, fix);
}

/** A key of a file that has a value and is a secret. */
const SECRET =
  /^[ \t]*"?(?:token|password|clientSecret|webhookKey|previousWebhookKeys)"?[ \t]*=[ \t]*(?:\[\s*)?["'][^"'\s]/im;

/** Whether others on this machine may read files with secrets. */
export function fileRights(files: readonly string[], config: LoadedConfig | undefined): Check {
  return {
    id: 'config.rights',
    // A file that cannot be read is said there.
    needs: ['config'],
    async run() {
      if (process.platform === 'win32') return [];
      const withSecrets = [...new Set(files)].filter((file) => SECRET.test(readConfigFile(file)));
      const named = [config?.vcs, config?.hooks].flatMap((each) => [
        ...(each?.secretFiles ?? []).map(({ file }) => file),
        ...[each?.redis.tls?.keyFile, each?.redis.sentinel?.tls?.keyFile],
      ]);
      const paths = [...new Set([...withSecrets, ...named.filter((file) => file !== undefined)])];
      const open = paths.filter((path) => (statSync(path).mode & 0o004) !== 0);
      if (open.length > 0)
        return open.map((path) =>
          warning(
            `every user of this machine may read ${path}, which holds secrets`,
            `chmod o-rwx ${path}, and give it to the user or group of the services`,
          ),
        );
      return paths.length === 0 ? [] : ok('files with secrets cannot be read by every user');
    },
  };
}
