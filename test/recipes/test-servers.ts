/** The servers on which recipes are to work: each release in another way. */

import { EtcdClient } from "../../src/index.js";
import { createGateway } from "../../src/server/index.js";
import { describeWithEtcd, type Release, startEtcd } from "../support/etcd.js";

/** A server, and how clients reach it. */
export interface Stand extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly api: "v2" | "v3";
  client(): EtcdClient;
}

interface StandKind {
  readonly name: string;
  readonly release: Release;
  start(): Promise<Stand>;
}

const KINDS: readonly StandKind[] = [
  { name: "the v2 API of etcd 3.4", release: "3.4", start: () => server("3.4", "v2") },
  { name: "the v2 API of etcd 3.5", release: "3.5", start: () => server("3.5", "v2") },
  { name: "the v3 API of etcd 3.7", release: "3.7", start: () => server("3.7", "v3") },
  { name: "a gateway before etcd 3.7", release: "3.7", start: () => gateway("3.7") },
];

/** `describe` for each kind of server. */
export function describeOnEach(what: string, define: (start: () => Promise<Stand>) => void): void {
  for (const { name, release, start } of KINDS) {
    describeWithEtcd(release, `${what} on ${name}`, () => define(start));
  }
}

async function server(release: Release, api: "v2" | "v3"): Promise<Stand> {
  const etcd = await startEtcd({ release });
  return standOf(etcd.urls, api, etcd);
}

async function gateway(release: Release): Promise<Stand> {
  const etcd = await startEtcd({ release });
  const front = await createGateway({ etcd: { urls: etcd.urls } });
  return standOf([front.url], "v2", front, etcd);
}

function standOf(
  urls: Stand["urls"],
  api: Stand["api"],
  ...parts: readonly AsyncDisposable[]
): Stand {
  return {
    urls,
    api,
    client: () => new EtcdClient({ urls, api }),
    async [Symbol.asyncDispose]() {
      for (const part of parts) await part[Symbol.asyncDispose]();
    },
  };
}
