import type { Command } from "commander";
import { ConsoleServer } from "../../console/console-server.js";
import type { CutoverSourceOptions } from "../../console/cutover/cutover-runs.js";
import { isLoopback } from "../../server/http/loopback.js";
import { type ClientOptions, clientOptionsOf } from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import {
  addSourceOptions,
  type SourceFlags,
  sourceOption,
  sourceSettings,
} from "../options/cutover-source-options.js";
import { addVariables, givenOptions } from "../options/environment.js";
import { keyOf } from "../options/key-argument.js";
import { listOf, notEmpty, portOf } from "../options/option-files.js";
import { splitUser } from "../options/split-user.js";
import { reportFailure } from "../process/failure.js";
import { dashed, type FlagOf, flagNames } from "../process/flag-names.js";
import { note } from "../process/print.js";
import { VERSION } from "../process/version.js";
import { waitForShutdown } from "../process/wait-for-shutdown.js";
import { clientCommand } from "./client-command.js";

const DEFAULT_PORT = 8079;

interface ConsoleFlags extends Partial<SourceFlags> {
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
    .option("--write", "let the page change and delete keys, and carry out a cut-over")
    .option(
      "--allowed-hosts <names>",
      "host names of the console besides localhost and --host, comma-separated",
      listOf,
    )
    .addOption(sourceOption());
  return addVariables(addSourceOptions(command)).action(() => serveConsole(command));
}

async function serveConsole(command: Command): Promise<void> {
  const { options, flag } = clientOptionsOf(command);
  const { options: flags, flag: ownFlag } = givenOptions<ConsoleFlags & ClientOptions>(command);
  try {
    const { host, port, write = false, allowedHosts = [] } = flags;
    const { prefix } = options;
    const source = await cutoverSource(flags, options.api, ownFlag);
    const running = await ConsoleServer.start({
      ...{ host, port, write, allowedHosts, version: VERSION },
      options: await clientSettings(options, flag),
      ...(prefix !== undefined && { prefix: keyOf(prefix) }),
      ...(source !== undefined && { source }),
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

/** Options that say how to reach the cluster of `--source`. */
const SOURCE_OPTIONS = [
  ...["sourceCacert", "sourceCert", "sourceKey"],
  ...["sourceUsername", "sourcePasswordFile"],
] as (keyof SourceFlags)[];

/** The v2 cluster of a cut-over; `undefined`: the page only shows it. @throws Error naming the option */
async function cutoverSource(
  flags: ConsoleFlags,
  api: ClientOptions["api"],
  flag: FlagOf,
): Promise<CutoverSourceOptions | undefined> {
  const { source } = flags;
  if (source === undefined) {
    const given = SOURCE_OPTIONS.find((name) => flags[name] !== undefined);
    if (given === undefined) return undefined;
    throw new Error(`${flag(dashed(given))} needs ${flag("source")}`);
  }
  if (api !== "v3") throw new Error(`${flag("source")} needs ${flag("api")} v3`);
  // In messages: the options of the commands that carry out the same steps.
  return { options: await sourceSettings({ ...flags, source }, flag), nameOf: flagNames() };
}
