import { Command } from "commander";

/** A command that is only there for its own commands, such as `member`. */
export function commandGroup(name: string, description: string, commands: readonly Command[]) {
  const group = new Command(name).description(description).enablePositionalOptions();
  for (const command of commands) group.addCommand(command);
  return group;
}
