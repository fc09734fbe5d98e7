import { type Command, InvalidArgumentError } from "commander";
import type { GatewayEtcdOptions } from "../../server/gateway.js";
import type { GatewaySourceOptions } from "../../server/source-gateway.js";
import { type ClientTls, isPipe, notEmpty, readPassword, urlsOf } from "../options/option-files.js";
import {
  clusterFiles,
  clusterPassword,
  listenFiles,
  type ReadFiles,
} from "../options/server-files.js";
import { splitUser } from "../options/split-user.js";
import { dashed, type FlagOf } from "../process/flag-names.js";
import {
  type ListenSettings,
  listenSettings,
  type Prepared,
  type ServerCommandOptions,
} from "./server-command.js";

/** Options of `etcdnet gateway`. */
export interface GatewayCommandOptions extends ServerCommandOptions {
  readonly check?: boolean;
  readonly source?: readonly string[];
  readonly sourceCacert?: string;
  readonly sourceCert?: string;
  readonly sourceKey?: string;
  readonly sourceUsername?: string;
  readonly sourcePasswordFile?: string;
  readonly endpoints?: readonly string[];
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

/** Options about v3, which a gateway for a v2 cluster uses only after a cut-over. */
const V3_OPTIONS = ["prefix", "username", "passwordFile", "cacert", "cert", "key"] as const;
/** Options that need `--source`. */
const SOURCE_OPTIONS = ["sourceCacert", "sourceCert", "sourceKey"] as const;
/** Options that need both clusters: a gateway has a user of its own for a cut-over alone. */
const CUTOVER_OPTIONS = ["sourceUsername", "sourcePasswordFile"] as const;

export function addGatewayOptions(command: Command): Command {
  return command
    .option(
      "--endpoints <urls>",
      `client URLs of the cluster, comma-separated (default: ${DEFAULT_ENDPOINTS})`,
      urlsOf,
    )
    .option("--prefix <key>", 'prefix of every key in v3 (default: "/", no prefix)', prefixOf)
    .option("--username <user>", "user of the cluster's v3 auth; needs --password-file", notEmpty)
    .option("--password-file <file>", "file with the password of --username", notEmpty)
    .option("--cacert <file>", "certificate authorities of the cluster (PEM)", notEmpty)
    .option("--cert <file>", "client certificate for the cluster (PEM); needs --key", notEmpty)
    .option("--key <file>", "key of --cert (PEM)", notEmpty)
    .option(
      "--source <urls>",
      "client URLs of a v2 cluster (etcd up to 3.5) to serve, comma-separated; with --endpoints until a cut-over",
      urlsOf,
    )
    .option("--source-cacert <file>", "certificate authorities of the v2 cluster (PEM)", notEmpty)
    .option(
      "--source-cert <file>",
      "client certificate for the v2 cluster (PEM); needs --source-key",
      notEmpty,
    )
    .option("--source-key <file>", "key of --source-cert (PEM)", notEmpty)
    .option(
      "--source-username <user>",
      "user of v2 auth that may read all keys, which a cut-over needs; clients keep their own",
      notEmpty,
    )
    .option(
      "--source-password-file <file>",
      "file with the password of --source-username",
      notEmpty,
    )
    .option("--listen-cert <file>", "serve https with this certificate (PEM)", notEmpty)
    .option("--listen-key <file>", "key of --listen-cert (PEM)", notEmpty)
    .option(
      "--listen-client-ca <file>",
      "require client certificates of this authority (PEM)",
      notEmpty,
    )
    .option(
      "--workers <number>",
      "processes that share the port, each a gateway of its own (default: 1)",
      workersOf,
    )
    .option("--check", "check the options, their files and the cluster, then exit");
}

/** Settings of a gateway for v3, or of one for a v2 cluster, which a cut-over may switch to v3. */
type GatewaySettings = ListenSettings &
  (
    | { readonly etcd: GatewayEtcdOptions }
    | { readonly source: GatewaySourceOptions; readonly etcd?: GatewayEtcdOptions }
  );

/** The options of the gateway, with their files read. @throws Error naming the invalid option with `flag` */
export async function gatewayOptions(
  options: GatewayCommandOptions,
  flag: FlagOf,
): Promise<Prepared<GatewaySettings>> {
  const { source: urls } = options;
  checkTogether(options, flag);
  const tls = await listenCertificate(options, flag);
  const listening = await listenSettings(options, tls, flag);
  if (urls !== undefined) {
    const source = await sourceOptions(urls, options, flag);
    const { value: etcd, reloaded } = await targetOptions(options, flag);
    return {
      settings: { ...listening.settings, source: source.value, ...(etcd && { etcd }) },
      reloaded: [...listening.reloaded, ...source.reloaded, ...reloaded],
    };
  }
  const etcd = await etcdOptions(options, flag);
  return {
    settings: { ...listening.settings, etcd: etcd.value },
    reloaded: [...listening.reloaded, ...etcd.reloaded],
  };
}

/** @throws Error naming the option */
function checkTogether(options: GatewayCommandOptions, flag: FlagOf): void {
  const source = flag("source");
  for (const [useless, why] of uselessOptions(options, flag)) {
    const given = useless.find((name) => options[name] !== undefined);
    if (given !== undefined) throw new Error(`${flag(dashed(given))} ${why}; omit it`);
  }
  const hasCredentials = (url: string) => URL.canParse(url) && new URL(url).username !== "";
  if (options.source?.some(hasCredentials)) {
    const own = `${flag("source-username")} is for the gateway itself`;
    throw new Error(
      `${source} contains credentials; remove them: each client sends its own; ${own}`,
    );
  }
}

type Useless = readonly [names: readonly (keyof GatewayCommandOptions)[], why: string];

/** Options that have no effect because of others. */
function uselessOptions(
  { source, endpoints }: GatewayCommandOptions,
  flag: FlagOf,
): readonly Useless[] {
  const name = flag("source");
  if (source === undefined) {
    return [[[...SOURCE_OPTIONS, ...CUTOVER_OPTIONS], `has no effect without ${name}`]];
  }
  const auth: Useless = [
    ["authRootPasswordFile"],
    `has no effect with ${name}, which serves a v2 cluster`,
  ];
  const missing = `has no effect with ${name} and without ${flag("endpoints")}`;
  return endpoints === undefined ? [auth, [[...V3_OPTIONS, ...CUTOVER_OPTIONS], missing]] : [auth];
}

/** The certificate for clients. @throws Error naming the option */
export function listenCertificate(options: GatewayCommandOptions, flag: FlagOf) {
  return listenFiles(
    { option: flag("listen-cert"), file: options.listenCert },
    { option: flag("listen-key"), file: options.listenKey },
    { option: flag("listen-client-ca"), file: options.listenClientCa },
  );
}

/** The v2 cluster. @throws Error naming the option */
async function sourceOptions(
  urls: readonly string[],
  options: GatewayCommandOptions,
  flag: FlagOf,
): Promise<ReadFiles<GatewaySourceOptions>> {
  const { value: texts, reloaded } = await sourceCertificate(options, flag);
  const { sourceCacert: cacert, sourceCert: cert, sourceKey: key } = options;
  const tls = tlsOptionsOf({ cacert, cert, key }, texts);
  const credentials = await sourceCredentials(options, flag);
  return {
    value: { urls, ...(reloaded.length > 0 && { tls }), ...credentials.value },
    reloaded: [...reloaded, ...credentials.reloaded],
  };
}

/** The gateway's own user of v2 auth. @throws Error naming the option */
export function sourceCredentials(options: GatewayCommandOptions, flag: FlagOf) {
  const { sourceUsername: username, sourcePasswordFile: passwordFile } = options;
  return credentialsOf({ username, passwordFile }, (name) => flag(`source-${name}`));
}

/** The certificate for the v2 cluster, and its authorities. @throws Error naming the option */
export function sourceCertificate(options: GatewayCommandOptions, flag: FlagOf) {
  return clusterFiles(
    { option: flag("source-cacert"), file: options.sourceCacert },
    { option: flag("source-cert"), file: options.sourceCert },
    { option: flag("source-key"), file: options.sourceKey },
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

/** The v3 cluster to which a cut-over may switch. */
async function targetOptions(
  options: GatewayCommandOptions,
  flag: FlagOf,
): Promise<ReadFiles<GatewayEtcdOptions | undefined>> {
  if (options.endpoints === undefined) return { value: undefined, reloaded: [] };
  return await etcdOptions(options, flag);
}

async function etcdOptions(
  options: GatewayCommandOptions,
  flag: FlagOf,
): Promise<ReadFiles<GatewayEtcdOptions>> {
  const { endpoints: urls = DEFAULT_ENDPOINTS, prefix: keyPrefix = "/" } = options;
  const certificates = await clusterCertificate(options, flag);
  const credentials = await credentialsOf(options, flag);
  const { cacert, cert, key } = options;
  const tls = tlsOptionsOf({ cacert, cert, key }, certificates.value);
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
  { cacert, cert, key }: Readonly<Record<"cacert" | "cert" | "key", string | undefined>>,
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

interface Credentials {
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** The user of the cluster. @throws Error naming the option */
export async function credentialsOf(
  { username, passwordFile }: Credentials,
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

/** More processes than any machine has cores for. */
const MAX_WORKERS = 256;

function workersOf(text: string): number {
  const workers = Number(text);
  if (/^\d+$/.test(text) && workers >= 1 && workers <= MAX_WORKERS) return workers;
  throw new InvalidArgumentError(`It must be a number from 1 to ${MAX_WORKERS}.`);
}
