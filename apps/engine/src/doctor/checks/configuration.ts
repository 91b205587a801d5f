import {
  type ConfigProblem,
  formatProblem,
  ConfigError,
  loadConfig,
  type LoadedConfig,
  readConfigFiles,
  type ConfigSources,
  type ServiceName,
  servicesOf,
} from '@cds/config';
import { filesWithSecrets, HOW_TO_CLOSE, readableByEveryone } from '../../readable-by-others';
import { type Check, failed, ok, type Outcome, warning } from '../finding';

/** More of them nobody reads at a time: `engine config check` has all. */
const MAX_PROBLEMS = 20;

/**
 * Reads the configuration as `engine start` does, of the services that the files have.
 * @returns no `config` where it is wrong
 */
export function readConfiguration(sources: ConfigSources, env: NodeJS.ProcessEnv) {
  let services: readonly ServiceName[] = [];
  let config: LoadedConfig | undefined;
  let problems: ConfigProblem[];
  try {
    // A file may be a pipe, which can be read once.
    const texts = readConfigFiles(sources.files ?? [], sources.documents);
    services = servicesOf(texts, env);
    config = loadConfig({ services, documents: texts, env });
    problems = config.warnings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    ({ problems } = error);
  }
  const outcomes = problems.slice(0, MAX_PROBLEMS).map(outcomeOf);
  if (config) outcomes.unshift(ok(`the configuration of ${services.join(' and ')} is valid`));
  const check: Check = { id: 'config', run: () => outcomes };
  return { config, services, check };
}

function outcomeOf(problem: ConfigProblem): Outcome {
  const fix = 'change it there: engine config new prints every key, and what it is for';
  const sentence = formatProblem(problem).replace(/^warning: /, '');
  return problem.level === 'error' ? failed(sentence, fix) : warning(sentence, fix);
}

/** Whether others on this machine may read files with secrets. */
export function fileRights(files: readonly string[], config: LoadedConfig | undefined): Check {
  return {
    id: 'config.rights',
    // A file that cannot be read is said there.
    needs: ['config'],
    run() {
      const withSecrets = filesWithSecrets(files, config);
      const open = readableByEveryone(withSecrets);
      if (open.length > 0)
        return open.map((path) =>
          warning(
            `every user of this machine may read ${path}, which holds secrets`,
            HOW_TO_CLOSE(path),
          ),
        );
      return withSecrets.length === 0 ? [] : ok('files with secrets cannot be read by every user');
    },
  };
}
