import { checkConfigText, formatProblem } from '@cds/config';
import { readFileSync } from 'node:fs';
import { CommandError, EXIT_FAILED } from '../command-error';
import type { Context } from '../context';

/** `engine config check FILE`. Returns the exit code. */
export function checkConfig(file: string, o: { env?: true }, context: Context): number {
  const problems = checkConfigText(readFile(file), o.env ? { env: context.env } : {});
  for (const problem of problems) context.say(formatProblem(problem));
  if (problems.some(({ level }) => level === 'error')) return EXIT_FAILED;
  context.out('Configuration file OK\n');
  return 0;
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`);
  }
}
