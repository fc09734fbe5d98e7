/** The same suite on a real etcd, on ours, and on gateways before an etcd with and without the v2 API. */

import { afterAll, beforeAll, beforeEach } from "vitest";
import { createGateway, createSourceGateway, startEmbeddedEtcd } from "../../src/server/index.js";
import { describeEtcdSideBySide, startEtcd } from "../support/etcd.js";
import { describeSideBySide } from "../support/side-by-side.js";
import { NOT_ON_GATEWAY } from "./gateway-deviations.js";
import type { Missing } from "./install.js";
import { isMissing, reportMissing } from "./missing.js";

interface RunningServer {
  readonly urls: readonly [string, ...string[]];
  /** Members that it lists. */
  readonly members: number;
  /** Names of tests that are left out on it. */
  readonly leftOut: readonly string[];
  stop(): Promise<void>;
}

/** The one that runs during a test. */
export type CurrentServer = () => RunningServer;

interface Options {
  /**
   * Of the real etcd, which loses its quorum when its only member adds another; ours has always one.
   *
   * @default 1
   */
  readonly members?: 1 | 3;
}

/** One more `describe` for each server, with `client` handed on if it is there. */
export function describeOnBothServers<Client>(
  name: string,
  client: Client | Missing,
  define: (client: Client, server: CurrentServer) => void,
  { members = 1 }: Options = {},
): void {
  if (isMissing(client)) {
    reportMissing(name, client);
    return;
  }
  describeEtcdSideBySide("3.4", `${name}, on etcd 3.4`, () => {
    define(client, running(startReal.bind(undefined, members)));
  });
  describeSideBySide(`${name}, on the embedded etcd`, () => {
    define(client, running(startOurs));
  });
  describeEtcdSideBySide("3.4", `${name}, on a gateway before the v2 API of etcd 3.4`, () => {
    define(client, running(startSourceGateway.bind(undefined, members)));
  });
  describeEtcdSideBySide("3.7", `${name}, on a gateway before etcd 3.7`, () => {
    beforeEach(({ task, skip }) => {
      if (NOT_ON_GATEWAY[task.name] !== undefined) skip(NOT_ON_GATEWAY[task.name]);
    });
    define(client, running(startGateway.bind(undefined, members)));
  });
}

function running(start: () => Promise<RunningServer>): CurrentServer {
  let server: RunningServer | undefined;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error("the server runs during tests only");
    return server;
  };
}

async function startReal(members: 1 | 3): Promise<RunningServer> {
  // Else members would be taken in only after five seconds.
  const args = ["--strict-reconfig-check=false"];
  const { urls, stop } = await startEtcd({ release: "3.4", members, args });
  return { urls, members, leftOut: [], stop };
}

async function startSourceGateway(members: 1 | 3): Promise<RunningServer> {
  const etcd = await startReal(members);
  const gateway = await createSourceGateway({ source: { urls: etcd.urls } });
  return {
    ...etcd,
    urls: [gateway.url],
    async stop() {
      await gateway.close();
      await etcd.stop();
    },
  };
}

async function startOurs(): Promise<RunningServer> {
  const etcd = await startEmbeddedEtcd({ port: 0 });
  return { urls: [etcd.url], members: 1, leftOut: [], stop: () => etcd.close() };
}

async function startGateway(members: 1 | 3): Promise<RunningServer> {
  const args = ["--strict-reconfig-check=false"];
  const etcd = await startEtcd({ release: "3.7", members, args });
  const gateway = await createGateway({ etcd: { urls: etcd.urls } });
  return {
    urls: [gateway.url],
    members,
    leftOut: Object.keys(NOT_ON_GATEWAY),
    async stop() {
      await gateway.close();
      await etcd.stop();
    },
  };
}
