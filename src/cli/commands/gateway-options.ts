import { type Command, InvalidArgumentError } from "commander";
import type { GatewayEtcdOptions, GatewayOptions } from "../../server/gateway.js";
import {
  notEmpty,
  readPassword,
  readServerTls,
  readText,
  urlsOf,
} from "../options/option-files.js";
import { splitUser } from "../options/split-user.js";
import type { FlagOf } from "../process/flag-names.js";
import { listenSettings, type ServerCommandOptions } from "./server-command.js";

/** Options of `etcdnet gateway`. */
export interface GatewayCommandOptions extends ServerCommandOptions {
  readonly endpoints: readonly string[];
  readonly prefix?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly listenCert?: string;
  readonly listenKey?: string;
  readonly listenClientCa?: string;
}

const DEFAULT_ENDPOINTS = ["http://127.0.0.1:2379"];

export function addGatewayOptions(command: Command): Command {
  return command
    .option(
      "--endpoints <urls>",
      "client URLs of the cluster, comma-separated",
      urlsOf,
      DEFAULT_ENDPOINTS,
    )
    .option("--prefix <key>", 'prefix of every key in v3; "/": no prefix', prefixOf, "/")
    .option("--username <user>", "user of the cluster's v3 auth; needs --password-file", notEmpty)
    .option("--password-file <file>", "file with the password of --username", notEmpty)
    .option("--cacert <file>", "certificate authorities of the cluster (PEM)", notEmpty)
    .option("--cert <file>", "client certificate for the cluster (PEM); needs --key", notEmpty)
    .option("--key <file>", "key of --cert (PEM)", notEmpty)
    .option("--listen-cert <file>", "serve https with this certificate (PEM)", notEmpty)
    .option("--listen-key <file>", "key of --listen-cert (PEM)", notEmpty)
    .option(
      "--listen-client-ca <file>",
      "require client certificates of this authority (PEM)",
      notEmpty,
    );
}

/** The options of the gateway, with their files read. @throws Error naming the invalid option with `flag` */
export async function gatewayOptions(options: GatewayCommandOptions, flag: FlagOf) {
  const tls = await readServerTls(
    { option: flag("listen-cert"), file: options.listenCert },
    { option: flag("listen-key"), file: options.listenKey },
    { option: flag("listen-client-ca"), file: options.listenClientCa },
  );
  return {
    ...(await listenSettings(options, tls, flag)),
    etcd: await etcdOptions(options, flag),
  } satisfies GatewayOptions;
}

async function etcdOptions(
  options: GatewayCommandOptions,
  flag: FlagOf,
): Promise<GatewayEtcdOptions> {
  const { endpoints: urls, prefix: keyPrefix = "/", cacert } = options;
  return {
    urls,
    keyPrefix,
    ...(cacert !== undefined && { ca: await readText({ option: flag("cacert"), file: cacert }) }),
    ...(await certificateOf(options, flag)),
    ...(await credentialsOf(options, flag)),
  };
}

async function certificateOf({ cert, key }: GatewayCommandOptions, flag: FlagOf) {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined) throw new Error(`${flag("key")} needs ${flag("cert")}`);
  if (key === undefined) throw new Error(`${flag("cert")} needs ${flag("key")}`);
  const pair = {
    cert: await readText({ option: flag("cert"), file: cert }),
    key: await readText({ option: flag("key"), file: key }),
  };
  return { x509Certificate: pair };
}

async function credentialsOf({ username, passwordFile }: GatewayCommandOptions, flag: FlagOf) {
  if (username === undefined) {
    if (passwordFile === undefined) return {};
    throw new Error(`${flag("password-file")} needs ${flag("username")}`);
  }
  if (splitUser(username).password !== undefined) {
    const file = flag("password-file");
    throw new Error(`${flag("username")}: must not contain a password; pass it with ${file}`);
  }
  const password = await readPassword({ option: flag("password-file"), file: passwordFile });
  if (password === undefined) throw new Error(`${flag("username")} needs ${flag("password-file")}`);
  return { username, password };
}

function prefixOf(text: string): string {
  if (text.startsWith("/")) return text;
  throw new InvalidArgumentError('It must begin with "/".');
}
