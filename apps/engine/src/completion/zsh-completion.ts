import {
  type Candidate,
  type CompletedCommand,
  optionsWith,
  shellQuoted,
  walkedWords,
} from './command-tree';

/** A script that completes the command in zsh, with descriptions. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const branches = commands.map((command) => {
    const choices = command.choices.map((name) => ({ name, description: '' }));
    const words = described([...command.commands, ...choices]);
    return `    ${shellQuoted(command.path)}) candidates=(${words}) options=(${described(command.options)})${command.takesFiles ? ' files=1' : ''} ;;`;
  });
  const prefixes = optionsWith('file', commands).map((name) => `compset -P '${name}='`);
  return `#compdef engine
# zsh, after compinit: source <(engine completion zsh), or as a file _engine in a folder of fpath
_engine() {
  local at=engine value='' files='' word
  local -a candidates options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $value ]]; then value=''; continue; fi
    case "$at $word" in
${walkedWords(commands)}
    esac
  done
  if ${prefixes.join(' || ')}; then value=file; fi
  case "$at" in
${branches.join('\n')}
  esac
  if [[ $value == text ]]; then return 1; fi
  if [[ $value == file || ( -n $files && $PREFIX != -* ) ]]; then _files; return; fi
  if (( $#candidates == 0 )) || [[ $PREFIX == -* ]]; then
    _describe -o option options
  else
    _describe command candidates
  fi
}
if [[ \${funcstack[1]} == _engine ]]; then _engine "$@"; else compdef _engine engine; fi
`;
}

function described(candidates: readonly Candidate[]): string {
  return candidates
    .map(({ name, description }) =>
      shellQuoted(description === '' ? name : `${name}:${description.replaceAll('\\', '\\\\')}`),
    )
    .join(' ');
}
