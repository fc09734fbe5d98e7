import type { EtcdClientOptions } from "../../client/options.js";
import { type FlagOf, flagOf } from "../process/flag-names.js";
import type { ClientOptions } from "./client-options.js";
import { readPassword, readText, urlsOf } from "./option-files.js";
import { askPassword } from "./password.js";
import { splitUser } from "./split-user.js";

/** V8's longest string: a directory is one response, and may be large. */
const MAX_RESPONSE_BYTES = 2 ** 29 - 24;
const DEFAULT_ENDPOINT = "http://127.0.0.1:2379";

/**
 * Converts the options of the command line to options of a client, and reads their files.
 *
 * @throws Error naming the invalid option
 */
export async function clientSettings(
  options: ClientOptions,
  flag = flagOf,
): Promise<EtcdClientOptions> {
  const { api, keyPrefix, timeout, totalTimeout, discoverySrv } = options;
  const { endpoints = DEFAULT_ENDPOINT } = options;
  if (keyPrefix !== undefined && api !== "v3") {
    throw new Error(`${flag("key-prefix")} needs ${flag("api")} v3`);
  }
  return {
    ...(discoverySrv === undefined ? { urls: urlsOf(endpoints) } : { discoverySrv }),
    ...(api !== undefined && { api }),
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(timeout !== undefined && {
      connectTimeout: timeout,
      requestTimeout: timeout,
      writeTimeout: timeout,
    }),
    ...(totalTimeout !== undefined && { timeout: totalTimeout }),
    maxResponseSize: MAX_RESPONSE_BYTES,
    ...(await credentialsOf(options, flag)),
    ...(await tlsOf(options, flag)),
  };
}

async function credentialsOf({ username: given, passwordFile }: ClientOptions, flag: FlagOf) {
  const option = flag("password-file");
  if (given === undefined) {
    if (passwordFile === undefined) return {};
    throw new Error(`${option} needs ${flag("username")}`);
  }
  const { user: username, password } = splitUser(given);
  const fromFile = await readPassword({ option, file: passwordFile });
  if (fromFile !== undefined && password !== undefined) {
    throw new Error(`${option}: ${flag("username")} already contains a password; use one of them`);
  }
  return { username, password: fromFile ?? password ?? (await askPassword("Password: ")) };
}

async function tlsOf(options: ClientOptions, flag: FlagOf) {
  const { cacert: ca, cert, key } = options;
  if (cert !== undefined && key === undefined)
    throw new Error(`${flag("cert")} needs ${flag("key")}`);
  if (key !== undefined && cert === undefined)
    throw new Error(`${flag("key")} needs ${flag("cert")}`);
  return {
    ...(ca !== undefined && { ca: await readText({ option: flag("cacert"), file: ca }) }),
    ...(cert !== undefined &&
      key !== undefined && {
        x509Certificate: {
          cert: await readText({ option: flag("cert"), file: cert }),
          key: await readText({ option: flag("key"), file: key }),
        },
      }),
  };
}

/** The cluster of a command, for messages. */
export function clusterName({ endpoints, discoverySrv }: ClientOptions): string {
  return endpoints ?? discoverySrv ?? DEFAULT_ENDPOINT;
}
