/** Real etcd servers for tests: one member or three, with TLS and auth as asked for. */

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
  /** Serve the v2 API. @default true on 3.4 and 3.5, which are the ones that can */
  readonly v2?: boolean;
  /** HTTPS between client and server. @default false */
  readonly tls?: boolean;
  /** Demand a client certificate, which implies `tls`. @default false */
  readonly clientCertAuth?: boolean;
  /** Enables v2 auth, with this password for the user root. @default no auth */
  readonly rootPassword?: string;
  /** Serve gRPC alone at the client URLs, without v2. @default HTTP as well */
  readonly grpcOnly?: boolean;
  /** Lead the links between the members through these. @default directly */
  readonly peerLinks?: PeerLinks;
  /** More flags of etcd, for every member; they win over ours. */
  readonly args?: readonly string[];
}

type AtLeastOne<T> = readonly [T, ...T[]];

/**
 * Quicker elections than etcd's own 100 and 1,000 ms; what etcd derives from them is quicker too:
 * the least lease TTL is 1 s instead of 2, and a write without a leader waits less above its 5 s.
 */
const ELECTION = {
  1: ["--heartbeat-interval=10", "--election-timeout=100"],
  3: ["--heartbeat-interval=50", "--election-timeout=500"],
};

/** A running cluster. Members can be killed, paused, stopped and started again one by one. */
export interface EtcdCluster {
  readonly members: AtLeastOne<EtcdProcess>;
  /** The client URL of each member. */
  readonly urls: AtLeastOne<string>;
  /** The certificate, as PEM, that a client must trust; with TLS only. */
  readonly ca?: string;
  /** One that the server accepts, of the common name "client"; with `clientCertAuth` only. */
  readonly clientCertificate?: ClientCertificate;
  /** Ends all members, paused ones too, and removes their data. */
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
    ...(peerLinks && { advertisePeers: (peerUrls) => peerLinks.lead(peerUrls) }),
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
 * `describe` for suites on a real etcd. Where that is missing, the suite is skipped and a line says
 * why; with CI=true it fails.
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

/** The same, as {@link describeSideBySide}. */
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
  const able = release === "3.4" || release === "3.5";
  if (v2 && !able) throw new Error(`etcd ${release} has no v2 API`);
  return v2 ?? able;
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
    const answer = await request(`${urls[0]}/v2/auth/${path}`, { method: "PUT", body, dispatcher });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`v2 auth was not enabled: ${text}`);
  };
  await put("users/root", JSON.stringify({ user: "root", password }));
  await put("enable", "");
  await dispatcher.close();
}
