import { type CompletedCommand, type CompletedOption, optionsWith } from './command-tree';

/** A script that completes the command in fish, with descriptions. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const valued = [...optionsWith('file', commands), ...optionsWith('text', commands)];
  const paths = commands.slice(1).map(({ path }) => quoted(path));
  const lines = commands.flatMap((command) => {
    const rule = (rest: string) =>
      `complete -c engine -n ${quoted(`__engine_at ${command.path}`)} ${rest}`;
    return [
      ...command.commands.map(({ name, description }) =>
        rule(`-a ${quoted(name)} -d ${quoted(description)}`),
      ),
      ...command.choices.map((name) => rule(`-a ${quoted(name)}`)),
      ...(command.takesFiles ? [rule('-F')] : []),
      ...command.options.map((option) => rule(`${flag(option)} -d ${quoted(option.description)}`)),
    ];
  });
  return `# fish: engine completion fish | source, or as ~/.config/fish/completions/engine.fish
function __engine_at
    set -l at engine
    set -l value
    for word in (commandline -opc)[2..-1]
        if set -q value[1]
            set -e value
            set -l value
            continue
        end
        switch $word
            case ${valued.map(quoted).join(' ')}
                set value 1
        end
        switch "$at $word"
            case ${paths.join(' ')}
                set at "$at $word"
        end
    end
    test "$at" = "$argv"
end
complete -c engine -f
${lines.join('\n')}
`;
}

const VALUES: Readonly<Record<CompletedOption['value'], string>> = {
  none: '',
  file: ' -r -F',
  text: ' -x',
};

function flag({ name, value }: CompletedOption): string {
  const isLong = name.startsWith('--');
  return `${isLong ? '-l' : '-s'} ${name.replace(/^--?/, '')}${VALUES[value]}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
