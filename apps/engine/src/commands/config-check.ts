import { checkConfigText, formatProblem, isConfigError, readConfigFiles } from '@cds/config';
import { readProxySettings } from '@cds/network';
import { CommandError, EXIT_FAILED, usageError } from '../command-error';
import type { Context } from '../context';

/** `engine config check FILE…`. Returns the exit code. */
export function checkConfig(files: readonly string[], o: { env?: true }, context: Context): number {
  const texts = readTexts(files, context);
  if (texts.length === 0)
    throw usageError("missing argument 'files', or an option that names Vault or Consul.");
  const problems = checkConfigText(texts, o.env ? { env: context.env } : {});
  for (const problem of problems) context.say(formatProblem(problem));
  if (problems.some(({ level }) => level === 'error')) return EXIT_FAILED;
  context.out('Configuration file OK\n');
  if (o.env)
    for (const [name, value] of Object.entries(readProxySettings(context.env).inForce))
      context.out(`${name} is in force: ${value}\n`);
  return 0;
}

function readTexts(
  files: readonly string[],
  { documents }: Context,
): ReturnType<typeof readConfigFiles> {
  try {
    return readConfigFiles(files, documents);
  } catch (error) {
    if (!isConfigError(error)) throw error;
    throw new CommandError(error.problems.map(formatProblem).join('\n'));
  }
}
