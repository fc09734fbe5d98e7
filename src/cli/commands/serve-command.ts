import type { Command } from "commander";
import { type EmbeddedEtcdOptions, startEmbeddedEtcd } from "../../server/embedded-etcd.js";
import { notEmpty } from "../options/option-files.js";
import { listenFiles } from "../options/server-files.js";
import type { FlagOf } from "../process/flag-names.js";
import { listenSettings, type ServerCommandOptions, serverCommand } from "./server-command.js";

const AFTER_HELP = `
SIGINT (Ctrl-C) or SIGTERM saves the data and ends the server; a second signal ends it at once. SIGHUP
reads certificates and passwords again, which also happens within seconds when their files change.
Exit codes: 0 ended by a signal; 1 invalid options, a port in use, or data that cannot be read or
saved.

Example:
  etcdnet serve --port 2379 --data etcd.snapshot`;

/** Options of `etcdnet serve`. */
interface ServeOptions extends ServerCommandOptions {
  readonly data?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly clientCa?: string;
}

/** `etcdnet serve`: runs an etcd with the v2 API in this process. */
export function serveCommand(): Command {
  return serverCommand({
    name: "serve",
    description: "Serve etcd's v2 API from the memory of this process.",
    afterHelp: AFTER_HELP,
    addOptions,
    complete: embeddedOptions,
    start: startEmbeddedEtcd,
    // ETCDNET_CERT and ETCDNET_KEY are the certificate of a client, in every command.
    variables: {
      cert: ["ETCDNET_LISTEN_CERT"],
      key: ["ETCDNET_LISTEN_KEY"],
      "client-ca": ["ETCDNET_LISTEN_CLIENT_CA"],
    },
    remedies: () => ({ tls: "--cert, --key", auth: "--auth-root-password-file" }),
  });
}

function addOptions(command: Command): Command {
  return command
    .option("--data <file>", "store all data in this file, across restarts", notEmpty)
    .option("--cert <file>", "serve https with this certificate (PEM); needs --key", notEmpty)
    .option("--key <file>", "key of --cert (PEM)", notEmpty)
    .option("--client-ca <file>", "require client certificates of this authority (PEM)", notEmpty);
}

async function embeddedOptions(options: ServeOptions, flag: FlagOf) {
  const { data } = options;
  const tls = await listenFiles(
    { option: flag("cert"), file: options.cert },
    { option: flag("key"), file: options.key },
    { option: flag("client-ca"), file: options.clientCa },
  );
  const { settings, reloaded } = await listenSettings(options, tls, flag);
  const file = data === undefined ? {} : { snapshotFile: data };
  return { settings: { ...settings, ...file } satisfies EmbeddedEtcdOptions, reloaded };
}
