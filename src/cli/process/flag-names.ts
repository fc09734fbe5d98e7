import type { EtcdClientOptions } from "../../client/options.js";
import type { OptionNames } from "../../errors/hint.js";
import type { LockOptions } from "../../recipes/lock/lock.js";
import type { GatewayOptions } from "../../server/gateway.js";
import type { MigrateOptions } from "../../transfer/migrate/migrate-options.js";

/** Writes a flag of a command for one cluster; for one of two clusters, as `--from-cacert`. */
export type FlagOf = (name: string) => string;

export const flagOf: FlagOf = (name) => `--${name}`;

/** The name of the option whose value Commander stores under another one: `password-file` for `passwordFile`. */
export function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The flags of a command for two clusters. */
export const sideFlagOf =
  (side: "from" | "to"): FlagOf =>
  (name) =>
    name === "endpoints" ? `--${side}` : `--${side}-${name}`;

export const eitherFlagOf: FlagOf = (name) =>
  `${sideFlagOf("from")(name)} or ${sideFlagOf("to")(name)}`;

/** Flags that concern a cluster, by the client's option or method. */
const CLUSTER_FLAGS: Readonly<Partial<Record<string, string>>> = {
  urls: "endpoints",
  api: "api",
  keyPrefix: "key-prefix",
  username: "username",
  password: "password-file",
  ca: "cacert",
  x509Certificate: "cert",
} satisfies Partial<Record<keyof EtcdClientOptions, string>>;

type OptionName =
  | "namespace()"
  | "sourceUsername"
  | "withoutUsers"
  | "passwordsSet"
  | keyof EtcdClientOptions
  | keyof GatewayOptions
  | keyof LockOptions
  | keyof MigrateOptions;

/** The other flags, by the option or method of the library. */
const FLAGS: Readonly<Partial<Record<string, string>>> = {
  discoverySrv: "discovery-srv",
  "namespace()": "prefix",
  connectTimeout: "timeout",
  timeout: "total-timeout",
  ttl: "ttl",
  prefix: "prefix",
  toPrefix: "to-prefix",
  hidden: "hidden",
  overwrite: "overwrite",
  lossy: "lossy",
  sourceUsername: "source-username",
  withoutUsers: "without-user",
  passwordsSet: "password-set",
  port: "port",
  advertise: "advertise",
  cors: "cors",
  allowedHosts: "allowed-hosts",
} satisfies Partial<Record<OptionName, string>>;

/**
 * Names options as the flags that set them. An option without a flag keeps its name.
 *
 * @param clusterFlag writes the flags that concern a cluster
 * @param flag writes the other flags
 */
export function flagNames(clusterFlag: FlagOf = flagOf, flag: FlagOf = flagOf): OptionNames {
  return (option) => {
    const name = option.replace(/\[\d+\]$/, "");
    const ofCluster = CLUSTER_FLAGS[name];
    if (ofCluster !== undefined) return clusterFlag(ofCluster);
    const other = FLAGS[name];
    return other === undefined ? option : flag(other);
  };
}
