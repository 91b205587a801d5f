import {
  checkConfigText,
  type ConfigProblem,
  formatProblem,
  loadConfig,
  readConfigFiles,
  servicesOf,
} from '@cds/config';
import { readProxySettings } from '@cds/network';
import { CommandError, EXIT_FAILED, usageError } from '../command-error';
import type { Context } from '../context';
import { readOr } from '../load-config';
import { formatJson } from '../print';
import { warnOfOpenFiles } from '../readable-by-others';

export interface CheckOptions {
  env?: true;
  json?: true;
}

/** `engine config check FILE…`. Returns the exit code. */
export function checkConfig(files: readonly string[], o: CheckOptions, context: Context): number {
  const env = o.env ? context.env : {};
  // A file may be a pipe, which can be read once.
  const texts = readOr(
    () => readConfigFiles(files, context.documents),
    (wrong) => {
      throw new CommandError(wrong.map(formatProblem).join('\n'));
    },
  );
  if (texts.length === 0)
    throw usageError("missing argument 'files', or an option that names Vault or Consul.");
  const config = readOr(
    () => loadConfig({ services: servicesOf(texts, env), documents: texts, env }),
    () => undefined,
  );
  const problems: ConfigProblem[] = [
    ...checkConfigText(texts, o.env ? { env } : {}),
    ...warnOfOpenFiles(files, config),
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
