import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import {
  type ClientOptions,
  clientOptionsOf,
  type OutputFormat,
} from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import { keyOf } from "../options/key-argument.js";
import { splitUser } from "../options/split-user.js";
import { reportFailure } from "../process/failure.js";
import { flagNames } from "../process/flag-names.js";

/** The client and the options of a command. */
export interface Session {
  readonly etcd: EtcdClient;
  readonly format: OutputFormat;
  readonly options: ClientOptions;
}

/** Runs a command with a client, which is closed at the end; reports a failure as a line and an exit code. */
export async function withSession(
  command: Command,
  run: (session: Session) => Promise<void>,
): Promise<void> {
  const { options, flag } = clientOptionsOf(command);
  // Prevents V8 from optimizing undici's parser. A short command would have to wait for the optimization,
  // which takes longer than the command itself.
  setFlagsFromString("--liftoff-only");
  try {
    await using client = new EtcdClient(await clientSettings(options, flag));
    const { prefix } = options;
    const etcd = prefix === undefined ? client : client.namespace(keyOf(prefix));
    await run({ etcd, format: options.output ?? "simple", options });
  } catch (error) {
    const { username } = options;
    const user = username === undefined ? undefined : splitUser(username).user;
    reportFailure(error, options.debug, flagNames(flag, flag), {
      name: command.name(),
      user,
      flag,
    });
  }
}
