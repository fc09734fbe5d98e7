import { type Command, InvalidArgumentError } from "commander";
import type { GatewayEtcdOptions, GatewayOptions } from "../../server/gateway.js";
import { type ClientTls, isPipe, notEmpty, readPassword, urlsOf } from "../options/option-files.js";
import {
  clusterFiles,
  clusterPassword,
  listenFiles,
  type ReadFiles,
} from "../options/server-files.js";
import { splitUser } from "../options/split-user.js";
import type { FlagOf } from "../process/flag-names.js";
import { listenSettings, type ServerCommandOptions } from "./server-command.js";

/** Options of `etcdnet gateway`. */
export interface GatewayCommandOptions extends ServerCommandOptions {
  readonly check?: boolean;
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
    )
    .option("--check", "check the options, their files and the cluster, then exit");
}

/** The options of the gateway, with their files read. @throws Error naming the invalid option with `flag` */
export async function gatewayOptions(options: GatewayCommandOptions, flag: FlagOf) {
  const tls = await listenCertificate(options, flag);
  const listening = await listenSettings(options, tls, flag);
  const etcd = await etcdOptions(options, flag);
  return {
    settings: { ...listening.settings, etcd: etcd.value } satisfies GatewayOptions,
    reloaded: [...listening.reloaded, ...etcd.reloaded],
  };
}

/** The certificate for clients. @throws Error naming the option */
export function listenCertificate(options: GatewayCommandOptions, flag: FlagOf) {
  return listenFiles(
    { option: flag("listen-cert"), file: options.listenCert },
    { option: flag("listen-key"), file: options.listenKey },
    { option: flag("listen-client-ca"), file: options.listenClientCa },
  );
}

/** The certificate for the cluster, and its authorities. @throws Error naming the option */
export function clusterCertificate({ cacert, cert, key }: GatewayCommandOptions, flag: FlagOf) {
  return clusterFiles(
    { option: flag("cacert"), file: cacert },
    { option: flag("cert"), file: cert },
    { option: flag("key"), file: key },
  );
}

async function etcdOptions(
  options: GatewayCommandOptions,
  flag: FlagOf,
): Promise<ReadFiles<GatewayEtcdOptions>> {
  const { endpoints: urls, prefix: keyPrefix = "/" } = options;
  const certificates = await clusterCertificate(options, flag);
  const credentials = await credentialsOf(options, flag);
  const tls = tlsOptionsOf(options, certificates.value);
  return {
    value: {
      urls,
      keyPrefix,
      ...(certificates.reloaded.length > 0 && { tls }),
      ...credentials.value,
    },
    reloaded: [...certificates.reloaded, ...credentials.reloaded],
  };
}

/** The names of the files, so that the client reads them again; the texts of pipes. */
function tlsOptionsOf(
  { cacert, cert, key }: GatewayCommandOptions,
  texts: ClientTls,
): NonNullable<GatewayEtcdOptions["tls"]> {
  const isReadOnce = (file: string | undefined): boolean => isPipe({ option: "", file });
  const pair = cert !== undefined && key !== undefined;
  return {
    ...(cacert !== undefined && (isReadOnce(cacert) ? { ca: texts.ca } : { caFile: cacert })),
    ...(pair &&
      (isReadOnce(cert) || isReadOnce(key)
        ? { cert: texts.cert, key: texts.key }
        : { certFile: cert, keyFile: key })),
  };
}

/** The user of the cluster. @throws Error naming the option */
export async function credentialsOf(
  { username, passwordFile }: GatewayCommandOptions,
  flag: FlagOf,
): Promise<ReadFiles<Pick<GatewayEtcdOptions, "username" | "password">>> {
  const file = { option: flag("password-file"), file: passwordFile };
  if (username === undefined) {
    if (passwordFile === undefined) return { value: {}, reloaded: [] };
    throw new Error(`${file.option} needs ${flag("username")}`);
  }
  if (splitUser(username).password !== undefined) {
    const problem = `must not contain a password; pass it with ${file.option}`;
    throw new Error(`${flag("username")}: ${problem}`);
  }
  const { value: first, reloaded } = await clusterPassword(file);
  if (first === undefined) throw new Error(`${flag("username")} needs ${file.option}`);
  const password = async () => (await readPassword(file)) ?? first;
  return { value: { username, password }, reloaded };
}

function prefixOf(text: string): string {
  if (text.startsWith("/")) return text;
  throw new InvalidArgumentError('It must begin with "/".');
}
