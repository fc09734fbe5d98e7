import { Command } from "commander";
import { similarName } from "../../errors/similar-name.js";

/**
 * Gives a command with subcommands `help [command...]`, and refuses to show its own help for a
 * subcommand that does not exist. To be called when it has its subcommands.
 */
export function addHelpCommand(parent: Command): Command {
  const help = new Command("help")
    .description("show the help of a command")
    .argument("[command...]")
    .action((words: readonly string[]) => showHelp(parent, words));
  return parent
    .helpCommand(false)
    .addCommand(help)
    .addHelpText("beforeAll", ({ command }) => {
      const [word] = command.args;
      if (command === parent && word !== undefined && !word.startsWith("-")) {
        subcommand(parent, word);
      }
      return "";
    });
}

function showHelp(parent: Command, words: readonly string[]): void {
  let command = parent;
  for (const word of words) {
    if (command.commands.length === 0) break;
    command = subcommand(command, word);
  }
  command.args = [];
  command.help();
}

/** Ends the program if there is none. */
function subcommand(parent: Command, name: string): Command {
  const found = parent.commands.find((child) => child.name() === name);
  if (found !== undefined) return found;
  const names = parent.commands.map((child) => child.name());
  const similar = similarName(name, names);
  const advice = similar === undefined ? "" : ` (Did you mean ${similar}?)`;
  return parent.error(`error: unknown command '${name}'${advice}`);
}
