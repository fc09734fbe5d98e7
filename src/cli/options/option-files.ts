import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { InvalidArgumentError } from "commander";
import type { ServerTls } from "../../server/http/http-server.js";

/** The file that an option names, by the option's own name. */
export interface NamedFile {
  /** e.g. `--cert` */
  readonly option: string;
  readonly file: string | undefined;
}

/** A server's TLS from files, of which each needs the others. @throws Error naming the option */
export async function readServerTls(
  cert: NamedFile,
  key: NamedFile,
  clientCa: NamedFile,
): Promise<ServerTls | undefined> {
  if (cert.file === undefined && key.file === undefined) {
    if (clientCa.file === undefined) return undefined;
    throw new Error(`${clientCa.option} needs ${cert.option} and ${key.option}`);
  }
  if (cert.file === undefined) throw new Error(`${key.option} needs ${cert.option}`);
  if (key.file === undefined) throw new Error(`${cert.option} needs ${key.option}`);
  const pair = { cert: await readText(cert), key: await readText(key) };
  checkPem(cert, { cert: pair.cert });
  checkPem(key, pair);
  if (clientCa.file === undefined) return pair;
  const ca = await readText(clientCa);
  checkPem(clientCa, { ca });
  return { ...pair, clientCa: ca };
}

/** A password in a file, without the newline at its end. @throws Error naming the option */
export async function readPassword(named: NamedFile): Promise<string | undefined> {
  if (named.file === undefined) return undefined;
  const password = (await readText(named)).replace(/\r?\n$/, "");
  if (password === "") throw new Error(`${named.option} ${named.file}: is empty`);
  return password;
}

/** @throws Error naming the option */
export async function readText({ option, file = "" }: NamedFile): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`${option} ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** OpenSSL's own messages do not say of which file they speak. */
function checkPem(
  { option, file }: NamedFile,
  pem: Parameters<typeof createSecureContext>[0],
): void {
  try {
    createSecureContext(pem);
  } catch (error) {
    throw new Error(`${option} ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** An argument that is a port. */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError("It must be a number from 0 to 65535.");
}

/** An argument that is not empty. */
export function notEmpty(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("It must not be empty.");
}

/** An argument that is a list of URLs; `http` where one names no scheme. */
export function urlsOf(text: string): readonly string[] {
  return listOf(text).map((url) => (url.includes("://") ? url : `http://${url}`));
}

/** What stands between commas. */
export function listOf(text: string): readonly string[] {
  return text.split(",").map((part) => part.trim());
}
