import { Command } from "commander";
import { addHelpCommand } from "./help.js";

/** A command that only has subcommands, such as `member`. */
export function commandGroup(name: string, description: string, commands: readonly Command[]) {
  const group = new Command(name).description(description).enablePositionalOptions();
  for (const command of commands) group.addCommand(command);
  return addHelpCommand(group);
}
