import type { Command } from "commander";

/** The words that may follow a command: its subcommands and options. */
export interface CompletionWords {
  /** Names up to the command, e.g. `member list`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly CompletionWord[];
  readonly options: readonly CompletionWord[];
}

export interface CompletionWord {
  readonly word: string;
  readonly description: string;
}

/** The words for the program and all its commands. Every command also has the global options. */
export function completionWords(program: Command): readonly CompletionWords[] {
  const globalOptions = optionsOf(program);
  const below = (command: Command, path: string): readonly CompletionWords[] => [
    {
      path,
      commands: command.commands.map((child) => ({
        word: child.name(),
        description: child.summary() || firstSentence(child.description()),
      })),
      options: command === program ? globalOptions : [...optionsOf(command), ...globalOptions],
    },
    ...command.commands.flatMap((child) => below(child, `${path} ${child.name()}`.trim())),
  ];
  return below(program, "");
}

function optionsOf(command: Command): readonly CompletionWord[] {
  return command.options
    .filter((option) => !option.hidden)
    .map(({ long, short, description }) => ({ word: long ?? short ?? "", description }));
}

function firstSentence(text: string): string {
  return text.replace(/\.(?: .*)?$/s, "");
}
