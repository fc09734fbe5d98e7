import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { InvalidArgumentError } from "commander";
import type { ServerTls } from "../../server/http/http-server.js";

/** The value of an option that names a file. */
export interface NamedFile {
  /** e.g. `--cert` */
  readonly option: string;
  readonly file: string | undefined;
}

/** Reads the TLS files of a server: certificate and key need each other. @throws Error naming the option */
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
  const pair = await readPair(cert, key);
  return clientCa.file === undefined
    ? pair
    : { ...pair, clientCa: await readAuthorities(clientCa) };
}

/** TLS files of a client, as PEM texts. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Reads the TLS files of a client: certificate and key need each other. @throws Error naming the option */
export async function readClientTls(
  ca: NamedFile,
  cert: NamedFile,
  key: NamedFile,
): Promise<ClientTls> {
  if (cert.file !== undefined && key.file === undefined) {
    throw new Error(`${cert.option} needs ${key.option}`);
  }
  if (key.file !== undefined && cert.file === undefined) {
    throw new Error(`${key.option} needs ${cert.option}`);
  }
  const authorities = ca.file === undefined ? {} : { ca: await readAuthorities(ca) };
  if (cert.file === undefined) return authorities;
  return { ...authorities, ...(await readPair(cert, key)) };
}

async function readPair(cert: NamedFile, key: NamedFile) {
  const pair = { cert: await readText(cert), key: await readText(key) };
  checkPem(cert, { cert: pair.cert });
  checkPem(key, pair);
  return pair;
}

/** OpenSSL ignores authorities that it cannot parse. */
async function readAuthorities(named: NamedFile): Promise<string> {
  const pem = await readText(named);
  try {
    new X509Certificate(pem);
  } catch {
    throw new Error(`${named.option} ${named.file}: contains no certificate in PEM format`);
  }
  return pem;
}

/** Reads a password, without the newline at the end of the file. @throws Error naming the option */
export async function readPassword(named: NamedFile): Promise<string | undefined> {
  if (named.file === undefined) return undefined;
  const password = (await readText(named)).replace(/\r?\n$/, "");
  if (password === "") throw new Error(`${named.option} ${named.file}: is empty`);
  return password;
}

/** Texts of pipes, as from a shell's `<(…)`: they can be read only once. */
const pipes = new Map<string, string>();

/** Whether a file that was read is a pipe, which can never change. */
export function isPipe({ file = "" }: NamedFile): boolean {
  return pipes.has(file);
}

/** The pipes that were read. Another process cannot read them again. */
export function readPipes(): readonly string[] {
  return [...pipes.keys()];
}

/** @throws Error naming the option */
export async function readText({ option, file = "" }: NamedFile): Promise<string> {
  try {
    const known = pipes.get(file);
    if (known !== undefined) return known;
    const isFile = (await stat(file)).isFile();
    const text = await readFile(file, "utf8");
    if (!isFile) pipes.set(file, text);
    return text;
  } catch (error) {
    throw new Error(`${option} ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Checks a PEM file. OpenSSL's own messages do not name the file. */
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

/** Parses a port. */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError("It must be a number from 0 to 65535.");
}

/** Checks that an argument is not empty. */
export function notEmpty(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("It must not be empty.");
}

/** Parses a list of URLs. The default scheme is `http`. */
export function urlsOf(text: string): readonly string[] {
  return listOf(text).map((url) => (url.includes("://") ? url : `http://${url}`));
}

/** Parses a comma-separated list. */
export function listOf(text: string): readonly string[] {
  return text.split(",").map((part) => part.trim());
}
