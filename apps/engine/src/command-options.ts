import { type Command, Option } from 'commander';
import { CommandError, usageError } from './command-error';
import type { Context } from './context';
import { formatJson } from './print';

/** `--config FILE`, which may be given more than once: all files together are the configuration. */
export function configOption(description = 'configuration file (TOML)'): Option {
  return new Option('--config <file>', `${description}; may be given more than once`).argParser(
    (file: string, before: string[] | undefined) => [...(before ?? []), file],
  );
}

/** The value of {@link configOption}. */
export interface ConfigOption {
  config?: string[];
}

/** Options of every command that changes what is in Redis. */
export interface ActionOptions extends ConfigOption {
  dryRun?: true;
  json?: true;
}

/** Of a command that destroys or acts on all, too. */
export interface ConfirmedOptions extends ActionOptions {
  yes?: true;
}

/** Adds the options of an action; `--yes` to one that asks at a terminal before it acts. */
export function addActionOptions(
  command: Command,
  { asks = false, config = configOption() } = {},
): Command {
  command
    .option('--dry-run', 'say what would be done, and write nothing')
    .option('--json', 'print a JSON object');
  if (asks) command.option('--yes', 'do not ask; needed where there is no terminal');
  return command.addOption(config);
}

/** Prints the result of an action: a sentence for people, fields for programs. */
export function printResult(
  o: ActionOptions,
  context: Context,
  result: { sentence: string; fields: object },
): void {
  if (o.json) context.out(formatJson({ dry_run: o.dryRun === true, ...result.fields }));
  else context.out(`${result.sentence}\n`);
}

/** @throws CommandError, to be called before anything is read: nobody could be asked */
export function checkCanConfirm(o: ConfirmedOptions, context: Context, what: string): void {
  if (o.yes || o.dryRun || context.ask) return;
  throw usageError(
    `${what}, and there is no terminal to ask at: say --yes, or look first with --dry-run.`,
  );
}

/** Asks at the terminal. @throws CommandError unless the answer is yes */
export async function confirm(
  o: ConfirmedOptions,
  context: Context,
  question: string,
): Promise<void> {
  if (o.yes) return;
  const answer = (await context.ask?.(`${question} [y/N] `)) ?? '';
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new CommandError('nothing was changed.');
}
