import { isDeepStrictEqual } from "node:util";
import type { ServerTls } from "../../server/http/http-server.js";
import { describeCertificate } from "../process/expiry-log.js";
import type { MonitoredFiles } from "../process/file-monitor.js";
import {
  type ClientTls,
  type NamedFile,
  readClientTls,
  readPassword,
  readServerTls,
} from "./option-files.js";

/** A server whose certificate and password can be replaced. */
export interface ReloadableServer {
  setTls(tls: ServerTls): void;
  /** Absent: it has no password of its own. */
  setRootPassword?(password: string): Promise<void>;
}

/** Files of a server that are reloaded while it runs. */
export interface ServerFiles extends MonitoredFiles {
  /** The certificate in use, as PEM. Its expiry is reported. */
  certificate?(): string | undefined;
}

/** The files of a server, once it runs. */
export type ServerFilesOf = (server: ReloadableServer) => ServerFiles;

/** Files that were read, and how they are reloaded. */
export interface ReadFiles<T> {
  readonly value: T;
  readonly reloaded: readonly ServerFilesOf[];
}

/** The certificate that a server presents, and the authorities of its clients. */
export function listenFiles(
  cert: NamedFile,
  key: NamedFile,
  clientCa: NamedFile,
): Promise<ReadFiles<ServerTls | undefined>> {
  return readFiles(
    `the certificate for clients (${cert.option})`,
    [cert, key, clientCa],
    () => readServerTls(cert, key, clientCa),
    (tls, server) => {
      if (tls === undefined) return "";
      server.setTls(tls);
      return describeCertificate(tls.cert);
    },
    (tls) => tls?.cert.toString(),
  );
}

/** The certificates for a cluster. The client itself reads them for its next connection. */
export function clusterFiles(
  ca: NamedFile,
  cert: NamedFile,
  key: NamedFile,
): Promise<ReadFiles<ClientTls>> {
  return readFiles(
    "the certificate for the cluster",
    [ca, cert, key],
    () => readClientTls(ca, cert, key),
    ({ cert: own }) =>
      `${own === undefined ? "authorities" : describeCertificate(own)}, for new connections`,
    ({ cert: own }) => own,
  );
}

/** The password of the cluster's user. The client itself reads it when etcd asks for it. */
export function clusterPassword(file: NamedFile): Promise<ReadFiles<string | undefined>> {
  return readFiles(
    "the password for the cluster",
    [file],
    () => readPassword(file),
    () => "used for the next authentication",
  );
}

/** The password of v2's user root. */
export function rootPasswordOf(file: NamedFile): Promise<ReadFiles<string | undefined>> {
  return readFiles(
    "the password of user root",
    [file],
    () => readPassword(file),
    async (password, server) => {
      if (password !== undefined) await server.setRootPassword?.(password);
      return "stored";
    },
  );
}

/** Reads files, and again when they have changed. `use` starts to use them, and describes them for the log. */
async function readFiles<T>(
  name: string,
  named: readonly NamedFile[],
  read: () => Promise<T>,
  use: (value: T, server: ReloadableServer) => string | Promise<string>,
  certificate?: (value: T) => string | undefined,
): Promise<ReadFiles<T>> {
  const value = await read();
  const files = named.flatMap(({ file }) => file ?? []);
  if (files.length === 0) return { value, reloaded: [] };
  let current = value;
  const reloaded = (server: ReloadableServer): ServerFiles => ({
    name,
    files,
    reload: async () => {
      const next = await read();
      if (isDeepStrictEqual(next, current)) return undefined;
      const news = await use(next, server);
      current = next;
      return news;
    },
    ...(certificate && { certificate: () => certificate(current) }),
  });
  return { value, reloaded: [reloaded] };
}
