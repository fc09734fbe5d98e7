import type { Command } from "commander";
import type { EmbeddedEtcdOptions } from "../server/embedded-etcd.js";
import { notEmpty, portOf, readPassword, readServerTls } from "./option-files.js";

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
  const tls = await readServerTls(
    { option: "--cert", file: options.cert },
    { option: "--key", file: options.key },
    { option: "--client-ca", file: options.clientCa },
  );
  const rootPassword = await readPassword({
    option: "--auth-root-password-file",
    file: options.authRootPasswordFile,
  });
  return {
    host,
    port,
    ...(data !== undefined && { snapshotFile: data }),
    ...(tls !== undefined && { tls }),
    ...(rootPassword !== undefined && { rootPassword }),
  };
}
