import { Argument, Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion/completion-script.js";
import { print } from "../process/print.js";

export function completionCommand(): Command {
  return new Command("completion")
    .description(
      "Print a completion script for a shell. It completes commands, options, their values, and the keys of the " +
        "cluster that the line, the environment or the context names.",
    )
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText("after", "\nExample:\n  etcdnet completion bash > /etc/bash_completion.d/etcdnet")
    .action((shell: Shell) => print(completionScript(shell)));
}
