import { Command } from "commander";
import { addHiddenClientOptions } from "../options/client-options.js";

/**
 * A command for a cluster, with the global options, and an example in its help.
 *
 * @param own global options that the command replaces by its own, such as `--timeout`
 */
export function clientCommand(
  name: string,
  description: string,
  example: string,
  own: readonly string[] = [],
): Command {
  return addHiddenClientOptions(new Command(name), own)
    .description(description)
    .addHelpText("after", `\nExample:\n  ${example}\n\n"etcdnet --help" shows the global options.`);
}
