import { Argument, type Command } from 'commander';
import type { Context } from '../context';
import { bashCompletion } from './bash-completion';
import { type CompletedCommand, completedCommands } from './command-tree';
import { fishCompletion } from './fish-completion';
import { zshCompletion } from './zsh-completion';

const SHELLS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Adds `engine completion SHELL`, which prints a script made of the commands as they are. */
export function addCompletion(program: Command, context: Context): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(SHELLS)))
    .description('print a script by which a shell completes commands, options and files')
    .addHelpText('after', '\nbash: source <(engine completion bash), in ~/.bashrc to keep it.')
    .action((shell: string) => context.out(SHELLS[shell]?.(completedCommands(program)) ?? ''));
}
