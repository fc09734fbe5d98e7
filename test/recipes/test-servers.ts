/** The servers on which recipes are tested: releases of etcd with different APIs. */

import { EtcdClient } from "../../src/index.js";
import { createGateway } from "../../src/server/index.js";
import {
  type describeEtcdSideBySide,
  describeWithEtcd,
  type Release,
  startEtcd,
} from "../support/etcd.js";

/** A server, and the API that its clients use. */
export interface TestServer extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly api: "v2" | "v3";
  client(): EtcdClient;
}

interface ServerKind {
  readonly name: string;
  readonly release: Release;
  start(): Promise<TestServer>;
}

const KINDS: readonly ServerKind[] = [
  { name: "the v2 API of etcd 3.4", release: "3.4", start: () => server("3.4", "v2") },
  { name: "the v2 API of etcd 3.5", release: "3.5", start: () => server("3.5", "v2") },
  { name: "the v3 API of etcd 3.7", release: "3.7", start: () => server("3.7", "v3") },
  { name: "a gateway in front of etcd 3.7", release: "3.7", start: () => gateway("3.7") },
];

/** `describe` for each kind of server. */
export function describeOnEach(
  what: string,
  define: (start: () => Promise<TestServer>) => void,
  describeKind: typeof describeEtcdSideBySide = describeWithEtcd,
): void {
  for (const { name, release, start } of KINDS) {
    describeKind(release, `${what} on ${name}`, () => define(start));
  }
}

async function server(release: Release, api: "v2" | "v3"): Promise<TestServer> {
  const etcd = await startEtcd({ release });
  return testServer(etcd.urls, api, etcd);
}

async function gateway(release: Release): Promise<TestServer> {
  const etcd = await startEtcd({ release });
  const server = await createGateway({ etcd: { urls: etcd.urls } });
  return testServer([server.url], "v2", server, etcd);
}

function testServer(
  urls: TestServer["urls"],
  api: TestServer["api"],
  ...parts: readonly AsyncDisposable[]
): TestServer {
  return {
    urls,
    api,
    // No test is about the time of a call, which is long on a busy machine.
    client: () => new EtcdClient({ urls, api, timeout: 300_000 }),
    async [Symbol.asyncDispose]() {
      for (const part of parts) await part[Symbol.asyncDispose]();
    },
  };
}
