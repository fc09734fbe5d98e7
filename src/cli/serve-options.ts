import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { type Command, InvalidArgumentError } from "commander";
import type { EmbeddedEtcdOptions } from "../server/embedded-etcd.js";
import type { ServerTls } from "../server/http-server.js";

/** What the command line of `etcdnet serve` says. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly data?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly clientCa?: string;
  readonly authRootPasswordFile?: string;
}

export function addServeOptions(command: Command): Command {
  return command
    .option("--port <number>", "port to listen on; 0: any that is free", portOf, 2379)
    .option("--host <address>", "address to listen on", notEmpty, "127.0.0.1")
    .option("--data <file>", "keep everything in this file, across restarts", notEmpty)
    .option("--cert <file>", "serve https with this certificate (PEM); needs --key", notEmpty)
    .option("--key <file>", "key of --cert (PEM)", notEmpty)
    .option("--client-ca <file>", "demand client certificates of this authority (PEM)", notEmpty)
    .option(
      "--auth-root-password-file <file>",
      "enforce auth, with the password of user root in this file",
      notEmpty,
    );
}

/** With the files read. @throws Error that names the option which cannot be used */
export async function embeddedOptions(options: ServeOptions): Promise<EmbeddedEtcdOptions> {
  const { host, port, data } = options;
  const tls = await tlsOf(options);
  const rootPassword = await passwordOf(options);
  return {
    host,
    port,
    ...(data !== undefined && { snapshotFile: data }),
    ...(tls !== undefined && { tls }),
    ...(rootPassword !== undefined && { rootPassword }),
  };
}

async function tlsOf({ cert, key, clientCa }: ServeOptions): Promise<ServerTls | undefined> {
  if (cert === undefined && key === undefined) {
    if (clientCa === undefined) return undefined;
    throw new Error("--client-ca needs --cert and --key");
  }
  if (cert === undefined) throw new Error("--key needs --cert");
  if (key === undefined) throw new Error("--cert needs --key");
  const pair = { cert: await read("--cert", cert), key: await read("--key", key) };
  check("--cert", cert, { cert: pair.cert });
  check("--key", key, pair);
  if (clientCa === undefined) return pair;
  const ca = await read("--client-ca", clientCa);
  check("--client-ca", clientCa, { ca });
  return { ...pair, clientCa: ca };
}

async function passwordOf(options: ServeOptions): Promise<string | undefined> {
  const { authRootPasswordFile: file } = options;
  if (file === undefined) return undefined;
  const option = "--auth-root-password-file";
  const password = (await read(option, file)).replace(/\r?\n$/, "");
  if (password === "") throw new Error(`${option} ${file}: is empty`);
  return password;
}

async function read(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`${option} ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** OpenSSL's own messages do not say of which file they speak. */
function check(option: string, file: string, pem: Parameters<typeof createSecureContext>[0]): void {
  try {
    createSecureContext(pem);
  } catch (error) {
    throw new Error(`${option} ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError("It must be a number from 0 to 65535.");
}

function notEmpty(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("It must not be empty.");
}
