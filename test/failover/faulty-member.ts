import type { EtcdClient, EtcdClientOptions } from "../../src/index.js";
import type { EtcdCluster } from "../support/etcd.js";
import type { Fault } from "../support/fault-proxy.js";
import { type ProxiedClient, proxiedClient } from "./proxied-client.js";

/** Faults that only a timeout detects. */
export const SLOW: ReadonlySet<Fault> = new Set(["hang", "drip"]);
const TIMEOUTS = { requestTimeout: 1_500, writeTimeout: 1_500 };

/** All kinds of reads, of the keys of {@link prepareReads}. */
export const READS: Readonly<Record<string, (etcd: EtcdClient) => Promise<unknown>>> = {
  "a local get": (etcd) => etcd.getNode("/file"),
  "a quorum get": (etcd) => etcd.getNode("/file", { quorum: true }),
  "a recursive list": (etcd) => etcd.getNode("/tree", { recursive: true, sorted: true }),
  "the list of members": (etcd) => etcd.members.list(),
};

export async function prepareReads(etcd: EtcdClient): Promise<void> {
  await etcd.setNode("/file", "value");
  await etcd.setNode("/tree/a/b", "1");
  await etcd.setNode("/tree/c", "2".repeat(5_000));
}

/** A client whose current endpoint has the fault. */
export async function clientOfFaulty(
  cluster: EtcdCluster,
  fault: Fault,
  options: EtcdClientOptions = {},
): Promise<ProxiedClient> {
  const timeouts = SLOW.has(fault) ? TIMEOUTS : {};
  const client = await proxiedClient(cluster, { ...options, ...timeouts });
  await client.pinned.become(fault);
  // This fault affects new connections only.
  if (fault === "cut on connect") await client.pinned.cut();
  return client;
}

/** The response to a read, without its headers. */
export function nodesOf(answer: unknown): unknown {
  return typeof answer === "object" && answer !== null && "node" in answer ? answer.node : answer;
}
