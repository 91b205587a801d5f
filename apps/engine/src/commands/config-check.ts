import {
  checkConfigText,
  type ConfigProblem,
  formatProblem,
  ConfigError,
  loadConfig,
  type LoadedConfig,
  readConfigFiles,
  servicesOf,
} from '@cds/config';
import { readProxySettings } from '@cds/network';
import { CommandError, EXIT_FAILED, usageError } from '../command-error';
import type { Context } from '../context';
import { formatJson } from '../print-json';
import { warnOfOpenFiles } from '../readable-by-others';

export interface CheckOptions {
  env?: true;
  json?: true;
}

type Texts = ReturnType<typeof readConfigFiles>;

/** `engine config check FILE…`. Returns the exit code. */
export function checkConfig(files: readonly string[], o: CheckOptions, context: Context): number {
  const texts = readTexts(files, context);
  if (texts.length === 0)
    throw usageError("missing argument 'files', or an option that names Vault or Consul.");
  const problems: ConfigProblem[] = [
    ...checkConfigText(texts, o.env ? { env: context.env } : {}),
    ...warnOfOpenFiles(files, configOf(texts, o.env ? context.env : {})),
  ];
  const isWrong = problems.some(({ level }) => level === 'error');
  if (o.json) {
    context.out(formatJson(problems));
    return isWrong ? EXIT_FAILED : 0;
  }
  for (const problem of problems) context.say(formatProblem(problem));
  if (isWrong) return EXIT_FAILED;
  context.out('Configuration file OK\n');
  if (o.env)
    for (const [name, value] of Object.entries(readProxySettings(context.env).inForce))
      context.out(`${name} is in force: ${value}\n`);
  return 0;
}

/** Undefined where it is wrong. */
function configOf(texts: Texts, env: NodeJS.ProcessEnv): LoadedConfig | undefined {
  try {
    return loadConfig({ services: servicesOf(texts, env), documents: texts, env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return undefined;
  }
}

/** A file may be a pipe, which can be read once. */
function readTexts(files: readonly string[], { documents }: Context): Texts {
  try {
    return readConfigFiles(files, documents);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(error.problems.map(formatProblem).join('\n'));
  }
}
