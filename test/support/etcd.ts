/** Real etcd servers for tests: one or three members, with TLS and auth on request. */

import { Agent, request } from "undici";
import { describe, expect, it } from "vitest";
import { findEtcd, type Release } from "../../scripts/etcd-binaries.mjs";
import {
  type EtcdProcess,
  type EtcdProcessOptions,
  startEtcdCluster,
} from "../../scripts/etcd-process.mjs";
import {
  type ClientCertificate,
  certificateAuthority,
  clientCertificate,
  serverCertificate,
} from "./certificates.js";
import type { PeerLinks } from "./peer-links.js";
import { describeSideBySide } from "./side-by-side.js";

export type { Release };

export interface EtcdOptions {
  readonly release: Release;
  /** @default 1 */
  readonly members?: 1 | 3;
  /** Serve the v2 API. @default true on 3.4 and 3.5, the releases that have it */
  readonly v2?: boolean;
  /** HTTPS between client and server. @default false */
  readonly tls?: boolean;
  /** Require a client certificate, which implies `tls`. @default false */
  readonly clientCertAuth?: boolean;
  /** Enables v2 auth, with this password for the user root. @default no auth */
  readonly rootPassword?: string;
  /** Serve only gRPC at the client URLs, without v2. @default HTTP as well */
  readonly grpcOnly?: boolean;
  /** Route the connections between the members through these links. @default direct connections */
  readonly peerLinks?: PeerLinks;
  /** Additional etcd flags for every member. They override the flags of this module. */
  readonly args?: readonly string[];
}

type AtLeastOne<T> = readonly [T, ...T[]];

/**
 * Shorter than etcd's defaults of 100 and 1,000 ms. Times that etcd derives from them are shorter, too:
 * the minimum lease TTL is 1 s instead of 2, and a write without a leader fails sooner after its 5 s.
 */
const ELECTION = {
  // With 10 ms, an idle server takes a third more CPU. The other times come from the second one.
  1: ["--heartbeat-interval=20", "--election-timeout=100"],
  3: ["--heartbeat-interval=50", "--election-timeout=500"],
};

/** A running cluster. Members can be killed, paused, stopped and started again one by one. */
export interface EtcdCluster {
  readonly members: AtLeastOne<EtcdProcess>;
  /** The client URL of each member. */
  readonly urls: AtLeastOne<string>;
  /** The CA certificate, as PEM, that a client must trust. Only with TLS. */
  readonly ca?: string;
  /** A certificate with the common name "client" that the server accepts. Only with `clientCertAuth`. */
  readonly clientCertificate?: ClientCertificate;
  /** Stops all members, including paused ones, and removes their data. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts an empty cluster; resolves when every member is healthy. */
export async function startEtcd(options: EtcdOptions): Promise<EtcdCluster> {
  const { release, members: size = 1, grpcOnly = false, peerLinks, args = [] } = options;
  const tls = tlsFor(options);
  const members = await startEtcdCluster(size, {
    binary: binaryOf(release),
    v2: servesV2(options),
    grpcOnly,
    args: [...ELECTION[size], ...args],
    ...(tls && { tls }),
    ...(peerLinks && { advertisePeers: (peerUrls) => peerLinks.intercept(peerUrls) }),
  });
  const cluster = clusterOf(members, tls);
  try {
    if (options.rootPassword !== undefined) await enableV2Auth(cluster, options.rootPassword);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

/**
 * `describe` for suites on a real etcd. If the release is missing, the suite is skipped with a warning.
 * With CI=true, it fails.
 */
export function describeWithEtcd(
  release: Release,
  name: string,
  define: () => void,
  suite: (name: string, define: () => void) => void = describe,
): void {
  const etcd = findEtcd(release);
  if (!("missing" in etcd)) {
    suite(name, define);
    return;
  }
  const reason = `etcd ${release} is missing: ${etcd.missing}`;
  if (process.env.CI === "true") {
    it(name, () => expect.fail(reason));
    return;
  }
  console.warn(`skipped "${name}": ${reason}`);
  describe.skip(name, define);
}

/** {@link describeWithEtcd} with {@link describeSideBySide}. */
export function describeEtcdSideBySide(release: Release, name: string, define: () => void): void {
  describeWithEtcd(release, name, define, describeSideBySide);
}

interface Tls extends NonNullable<EtcdProcessOptions["tls"]> {
  readonly client?: ClientCertificate;
}

function tlsFor({ tls, clientCertAuth }: EtcdOptions): Tls | undefined {
  if (!tls && !clientCertAuth) return undefined;
  const server = { ca: certificateAuthority().cert, server: serverCertificate() };
  return clientCertAuth ? { ...server, client: clientCertificate("client") } : server;
}

function binaryOf(release: Release): string {
  const etcd = findEtcd(release);
  if ("missing" in etcd) throw new Error(`etcd ${release} is missing: ${etcd.missing}`);
  return etcd.path;
}

function servesV2({ release, v2 }: EtcdOptions): boolean {
  const hasV2 = release === "3.4" || release === "3.5";
  if (v2 && !hasV2) throw new Error(`etcd ${release} has no v2 API`);
  return v2 ?? hasV2;
}

function clusterOf(members: AtLeastOne<EtcdProcess>, tls?: Tls): EtcdCluster {
  const [first, ...others] = members;
  const stop = async () => {
    await Promise.all(members.map((member) => member.remove()));
  };
  return {
    members,
    urls: [first.url, ...others.map((member) => member.url)],
    ...(tls && { ca: tls.ca }),
    ...(tls?.client && { clientCertificate: tls.client }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function enableV2Auth({ urls, ca, clientCertificate }: EtcdCluster, password: string) {
  const dispatcher = new Agent({ connect: { ca, ...clientCertificate } });
  const put = async (path: string, body: string) => {
    const response = await request(`${urls[0]}/v2/auth/${path}`, {
      method: "PUT",
      body,
      dispatcher,
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`v2 auth was not enabled: ${text}`);
  };
  await put("users/root", JSON.stringify({ user: "root", password }));
  await put("enable", "");
  await dispatcher.close();
}
