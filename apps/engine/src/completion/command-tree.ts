import type { Argument, Command, Option } from 'commander';

/** What may be completed after a command. */
export interface CompletedCommand {
  /** `engine hooks tasks` */
  path: string;
  commands: Candidate[];
  options: CompletedOption[];
  /** Arguments of which there are a few: names of services, of shells. */
  choices: readonly string[];
  /** Whether its arguments are files. */
  takesFiles: boolean;
}

export interface Candidate {
  name: string;
  description: string;
}

export interface CompletedOption extends Candidate {
  value: 'none' | 'file' | 'text';
}

/** A command and all below it, as commander has them: nothing is listed a second time. */
export function completedCommands(command: Command, above = ''): CompletedCommand[] {
  const path = `${above} ${command.name()}`.trim();
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const own: CompletedCommand = {
    path,
    commands: commands.map((each) => ({ name: each.name(), description: each.description() })),
    options: help.visibleOptions(command).map(completedOption),
    choices: command.registeredArguments.flatMap(({ argChoices }: Argument) => argChoices ?? []),
    takesFiles: command.registeredArguments.some((argument) => argument.name() === 'files'),
  };
  return [own, ...commands.flatMap((each) => completedCommands(each, path))];
}

function completedOption(option: Option): CompletedOption {
  const takesValue = option.required || option.optional;
  return {
    name: option.long ?? option.short ?? option.flags,
    description: option.description,
    value: takesValue ? (option.flags.includes('<file>') ? 'file' : 'text') : 'none',
  };
}

/** The names of options whose values are of a kind. */
export function optionsWith(
  value: CompletedOption['value'],
  commands: readonly CompletedCommand[],
): string[] {
  const all = commands.flatMap(({ options }) => options);
  return [...new Set(all.filter((each) => each.value === value).map(({ name }) => name))].sort();
}

/** Quotes a text for bash, zsh and other shells of POSIX. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The branches of a `case "$at $word"`, in bash and zsh: `at` is the command so far, `value` what
 * the next word is where it belongs to an option.
 */
export function walkedWords(commands: readonly CompletedCommand[]): string {
  const options = (value: 'file' | 'text') =>
    optionsWith(value, commands)
      .map((name) => `*' ${name}'`)
      .join('|');
  const paths = commands.slice(1).map(({ path }) => shellQuoted(path));
  return [
    `      ${options('file')}) value=file ;;`,
    `      ${options('text')}) value=text ;;`,
    `      ${paths.join('|')}) at="$at $word" ;;`,
  ].join('\n');
}
