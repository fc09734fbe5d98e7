import { EtcdClient } from "../../src/index.js";

const PER_DIRECTORY = 100;
const IN_FLIGHT = 128;

/** The directory in which one client works. */
export function directoryOf(client: string): string {
  return `/apps/${client}`;
}

/**
 * Fills the tree that the clients meet after the migration: a directory for each client, and `keys`
 * files beside these: three quarters in `/wide`, which is copied last, a hundred in a transaction;
 * the others in directories below `/deep`, every fifth of them with a TTL.
 */
export async function fillTree(
  urls: readonly string[],
  clients: readonly string[],
  keys: number,
): Promise<void> {
  await using etcd = new EtcdClient({ urls, maxConnections: IN_FLIGHT });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < keys; n = next++) {
      const ttl = n % 20 === 0 ? { ttl: 36_000 } : {};
      await etcd.setNode(keyOf(n), `value of ${n}`, { ...ttl, noValueOnSuccess: true });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  for (const client of clients) await fillDirectory(etcd, directoryOf(client));
  await etcd.setNode("/session", null, { dir: true, ttl: 3600 });
  await etcd.setNode("/session/member", "here");
}

function keyOf(n: number): string {
  if (n % 4 !== 0) return `/wide/key-${n}`;
  return `/deep/d${Math.floor(n / 4 / PER_DIRECTORY)}/key-${n}`;
}

async function fillDirectory(etcd: EtcdClient, directory: string): Promise<void> {
  await etcd.setNode(`${directory}/config`, "migrated");
  for (const name of ["a", "b", "c"]) await etcd.setNode(`${directory}/list/${name}`, name);
  await etcd.createInOrderNode(`${directory}/queue`, "first");
  await etcd.setNode(`${directory}/lease`, "mine", { ttl: 3600 });
}

/** A node as the v2 API shows it. */
export interface ShownNode {
  readonly key?: string;
  readonly dir?: boolean;
  readonly nodes?: readonly ShownNode[];
}

export function countFiles(node: ShownNode): number {
  if (node.dir !== true) return 1;
  return (node.nodes ?? []).reduce((sum, child) => sum + countFiles(child), 0);
}
