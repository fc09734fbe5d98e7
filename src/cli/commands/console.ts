import type { Command } from "commander";
import { ConsoleServer } from "../../console/console-server.js";
import { isLoopback } from "../../server/http/loopback.js";
import { type ClientOptions, clientOptionsOf } from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import { addVariables, givenOptions } from "../options/environment.js";
import { keyOf } from "../options/key-argument.js";
import { listOf, notEmpty, portOf } from "../options/option-files.js";
import { splitUser } from "../options/split-user.js";
import { reportFailure } from "../process/failure.js";
import { flagNames } from "../process/flag-names.js";
import { note } from "../process/print.js";
import { VERSION } from "../process/version.js";
import { waitForShutdown } from "../process/wait-for-shutdown.js";
import { clientCommand } from "./client-command.js";

const DEFAULT_PORT = 8079;

interface ConsoleFlags {
  readonly host: string;
  readonly port: number;
  readonly write?: boolean;
  readonly allowedHosts?: readonly string[];
}

/** `etcdnet console`: a web page for a cluster. */
export function consoleCommand(): Command {
  const command = clientCommand(
    "console",
    "Serve a web page that shows a cluster: its keys as a tree, their changes, a search, and the members. It is " +
      "read-only unless --write is given. SIGINT (Ctrl-C) or SIGTERM ends it.",
    "etcdnet console --endpoints http://127.0.0.1:2379 --write",
  )
    .option("--port <number>", "port to listen on; 0: any free port", portOf, DEFAULT_PORT)
    .option("--host <address>", "address to listen on", notEmpty, "127.0.0.1")
    .option("--write", "let the page change and delete keys")
    .option(
      "--allowed-hosts <names>",
      "host names of the console besides localhost and --host, comma-separated",
      listOf,
    );
  return addVariables(command).action(() => serveConsole(command));
}

async function serveConsole(command: Command): Promise<void> {
  const { options, flag } = clientOptionsOf(command);
  const { options: flags } = givenOptions<ConsoleFlags & ClientOptions>(command);
  try {
    const { host, port, write = false, allowedHosts = [] } = flags;
    const { prefix } = options;
    const running = await ConsoleServer.start({
      ...{ host, port, write, allowedHosts, version: VERSION },
      options: await clientSettings(options, flag),
      ...(prefix !== undefined && { prefix: keyOf(prefix) }),
    });
    if (!isLoopback(host)) {
      note(
        "warning: the console has no TLS; put a proxy with TLS in front of it, or use 127.0.0.1",
      );
    }
    console.log(`listening on ${running.urlWithAccess}`);
    await waitForShutdown();
    await running.close();
  } catch (error) {
    const { username } = options;
    const user = username === undefined ? undefined : splitUser(username).user;
    reportFailure(error, options.debug, flagNames(flag, flag), { name: "console", user, flag });
  }
}
