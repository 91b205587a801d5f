import { type CompletedCommand, shellQuoted, walkedWords } from './command-tree';

/** A script that completes the command in bash 3.2 and later. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const branches = commands.map((command) => {
    const words = [...command.commands.map(({ name }) => name), ...command.choices].join(' ');
    const options = command.options.map(({ name }) => name).join(' ');
    return `    ${shellQuoted(command.path)}) words=${shellQuoted(words)} options=${shellQuoted(options)}${command.takesFiles ? ' files=1' : ''} ;;`;
  });
  return `# bash: source <(engine completion bash)
_engine() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at=engine value='' words='' options='' files='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    # bash takes --config=FILE for three words.
    if [[ $word == '=' ]]; then continue; fi
    if [[ -n $value ]]; then value=''; continue; fi
    case "$at $word" in
${walkedWords(commands)}
    esac
  done
  if [[ $cur == '=' ]]; then cur=''; fi
  COMPREPLY=()
  if [[ $value == text ]]; then return; fi
  case "$at" in
${branches.join('\n')}
  esac
  local IFS=$'\\n'
  if [[ $value == file || ( -n $files && $cur != -* ) ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
    return
  fi
  if [[ -z $words || $cur == -* ]]; then words="$options"; fi
  COMPREPLY=($(compgen -W "\${words// /$IFS}" -- "$cur"))
}
complete -F _engine engine
`;
}
