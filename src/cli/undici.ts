/**
 * What the command line uses of undici. The build puts this module in the place of undici: to load also fetch, caches and
 * mocks would take a fifth of the time of a command.
 */

import { createRequire } from "node:module";
import type * as undici from "undici";

type Undici = typeof undici;

const require = createRequire(import.meta.url);

/** Loads one file of undici. If another release has no such file, it loads all of them. */
function load<N extends keyof Undici>(name: N, file: string): Undici[N] {
  try {
    return require(`undici/lib/${file}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    return require("undici/index.js")[name];
  }
}

export const Client = load("Client", "dispatcher/client.js");
export const buildConnector = load("buildConnector", "core/connect.js");

// Constructors that return another object, so that their files are loaded when a proxy is used.

export function ProxyAgent(options: undici.ProxyAgent.Options): undici.ProxyAgent {
  return new (load("ProxyAgent", "dispatcher/proxy-agent.js"))(options);
}

export function EnvHttpProxyAgent(
  options: undici.EnvHttpProxyAgent.Options,
): undici.EnvHttpProxyAgent {
  return new (load("EnvHttpProxyAgent", "dispatcher/env-http-proxy-agent.js"))(options);
}
