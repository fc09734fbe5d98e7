export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * A script that completes commands, options, their values and keys in a shell. It asks the program itself, so it
 * stays valid when the program is updated. If that fails, nothing is offered.
 */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of etcdnet
_etcdnet() {
  local line word kind="" quoted
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z "$kind" ]]; then
      kind="$line"
      continue
    fi
    word="\${line%%$'\\t'*}"
    printf -v quoted %q "$word"
    [[ "\${COMP_WORDS[COMP_CWORD]}" == [\\"\\']* ]] && quoted="$word"
    COMPREPLY+=("$quoted")
  done < <("\${COMP_WORDS[0]}" __complete bash "\${COMP_LINE:0:COMP_POINT}" "\${COMP_WORDS[COMP_CWORD]}" </dev/null 2>/dev/null)
  if [[ "$kind" == files ]]; then
    compopt -o default 2>/dev/null
  elif [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == */ ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _etcdnet etcdnet`,

  zsh: `#compdef etcdnet
_etcdnet() {
  local line kind=""
  local -a directories others shown
  while IFS= read -r line; do
    if [[ -z "$kind" ]]; then
      kind="$line"
    elif [[ "\${line%%$'\\t'*}" == */ ]]; then
      directories+=("\${line%%$'\\t'*}")
    else
      others+=("\${line%%$'\\t'*}")
      shown+=("\${line/$'\\t'/  -- }")
    fi
  done < <("\${(Q)words[1]}" __complete zsh "\${(@Q)words[2,CURRENT]}" </dev/null 2>/dev/null)
  if [[ "$kind" == files ]]; then
    _files
    return
  fi
  (( $#directories )) && compadd -S '' -a directories
  (( $#others )) && compadd -l -d shown -a others
}
if [[ "\${funcstack[1]}" == _etcdnet ]]; then _etcdnet "$@"; else compdef _etcdnet etcdnet; fi`,

  fish: `# fish completion of etcdnet
function __etcdnet_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l lines (command $before[1] __complete fish $before[2..-1] "$current" </dev/null 2>/dev/null)
  if test "$lines[1]" = files
    __fish_complete_path "$current"
  else if set -q lines[2]
    printf '%s\\n' $lines[2..-1]
  end
end
complete -c etcdnet -f -a '(__etcdnet_complete)'`,
};
