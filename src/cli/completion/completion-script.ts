import type { Command } from "commander";
import { type CompletionWord, type CompletionWords, completionWords } from "./completion-words.js";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes the program's commands and options in a shell. */
export function completionScript(shell: Shell, program: Command): string {
  return SCRIPTS[shell](completionWords(program));
}

const SCRIPTS: Readonly<Record<Shell, (words: readonly CompletionWords[]) => string>> = {
  bash: (words) => `# bash completion of etcdnet
_etcdnet() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${walk(words, "    ")}
  done
  case "$path" in
${words.map(({ path, ...of }) => `    "${path}") words="${wordList(of)}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _etcdnet etcdnet`,

  zsh: (words) => `#compdef etcdnet
_etcdnet() {
  local path="" word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
${walk(words, "    ")}
  done
  case "$path" in
${words.map(({ path, ...of }) => `    "${path}") candidates=(${described(of)}) ;;`).join("\n")}
  esac
  _describe etcdnet candidates || _files
}
if [[ "\${funcstack[1]}" == _etcdnet ]]; then _etcdnet "$@"; else compdef _etcdnet etcdnet; fi`,

  fish: (words) =>
    ["# fish completion of etcdnet", ...words.flatMap((of) => fishLines(of, words))].join("\n"),
};

/** Shell code that determines the command of the line, word by word. */
function walk(words: readonly CompletionWords[], indent: string): string {
  const steps = words.flatMap(({ path, commands }) =>
    commands.map(({ word }) => `"${path}:${word}") path="${`${path} ${word}`.trim()}" ;;`),
  );
  return [`case "$path:$word" in`, ...steps.map((step) => `  ${step}`), "esac"]
    .map((line) => `${indent}${line}`)
    .join("\n");
}

function wordList({ commands, options }: Pick<CompletionWords, "commands" | "options">): string {
  return [...commands, ...options].map(({ word }) => word).join(" ");
}

/** In the format of `_describe`: `word:description`. */
function described({ commands, options }: Pick<CompletionWords, "commands" | "options">): string {
  return [...commands, ...options]
    .map(({ word, description }) => quoted(`${word}:${description}`))
    .join(" ");
}

function fishLines(
  { path, commands, options }: CompletionWords,
  all: readonly CompletionWords[],
): readonly string[] {
  const condition = fishCondition(path, all);
  const line = (rest: string, { description }: CompletionWord): string =>
    `complete -c etcdnet -n ${quoted(condition)} ${rest} -d ${quoted(description)}`;
  return [
    ...commands.map((word) => line(`-f -a ${word.word}`, word)),
    ...options.map((word) => line(fishOption(word.word), word)),
  ];
}

function fishOption(word: string): string {
  return word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
}

function fishCondition(path: string, all: readonly CompletionWords[]): string {
  const own = all.find((words) => words.path === path)?.commands.map(({ word }) => word) ?? [];
  const notYet = own.length === 0 ? [] : [`not __fish_seen_subcommand_from ${own.join(" ")}`];
  if (path === "") return notYet.join("; ");
  const seen = path.split(" ").map((name) => `__fish_seen_subcommand_from ${name}`);
  return [...seen, ...notYet].join("; and ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
