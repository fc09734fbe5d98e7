import { Argument, Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion/completion-script.js";
import { print } from "../process/print.js";

/** Needs the program with all its commands as its parent. */
export function completionCommand(): Command {
  return new Command("completion")
    .description("Print a completion script for a shell.")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText("after", "\nExample:\n  etcdnet completion bash > /etc/bash_completion.d/etcdnet")
    .action((shell: Shell, _flags: object, command: Command) =>
      print(completionScript(shell, command.parent ?? command)),
    );
}
