import { Command } from "commander";
import { startEmbeddedEtcd } from "../server/embedded-etcd.js";
import { addServeOptions, embeddedOptions, type ServeOptions } from "./serve-options.js";
import { untilTold } from "./until-told.js";
import { warnIfOpen } from "./warn-if-open.js";

const AFTER_HELP = `
It ends on SIGINT (Ctrl-C) or SIGTERM and saves its data; a second signal ends it at once.
Exit codes: 0 ended by a signal; 1 options that cannot be used, a port in use, data that cannot be
read or saved.

Example:
  etcdnet serve --port 2379 --data etcd.snapshot`;

/** `etcdnet serve`: an etcd with the v2 API, in this process. */
export function serveCommand(): Command {
  const command = new Command("serve")
    .description("serve etcd's v2 API from this process's memory")
    .showSuggestionAfterError(false)
    .addHelpText("after", AFTER_HELP);
  return addServeOptions(command).action(async (options: ServeOptions) => {
    try {
      await serve(options);
    } catch (error) {
      command.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

async function serve(options: ServeOptions): Promise<void> {
  const complete = await embeddedOptions(options);
  const etcd = await startEmbeddedEtcd(complete);
  const told = untilTold();
  warnIfOpen(complete, { tls: "--cert, --key", auth: "--auth-root-password-file" });
  console.log(`listening on ${etcd.url}`);
  await told;
  await etcd.close();
}
