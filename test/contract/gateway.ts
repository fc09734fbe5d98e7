import { createGateway, createSourceGateway } from "../../src/server/index.js";
import { type Release, startEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";
import { keySpaceOf, remote } from "./remote.js";
import { SKIPS } from "./v3.js";

type Start = (urls: readonly string[]) => Promise<{ readonly url: string; close(): Promise<void> }>;

/** The v2 API of a gateway over the network. The etcd behind it has the v2 API disabled. */
export function gateway(release: Release): Arrangement {
  const start: Start = (urls) => createGateway({ etcd: { urls } });
  return arrangement("remote key space on a gateway", SKIPS, { release, v2: false }, start);
}

/** The v2 API of a gateway in front of an etcd that has it, too. */
export function sourceGateway(release: Release): Arrangement {
  const { skips } = remote(release);
  const start: Start = (urls) => createSourceGateway({ source: { urls } });
  return arrangement("remote key space on a gateway for v2", skips, { release }, start);
}

function arrangement(
  name: string,
  skips: Arrangement["skips"],
  options: Parameters<typeof startEtcd>[0],
  startServer: Start,
): Arrangement {
  return {
    name,
    skips,
    async start() {
      const etcd = await startEtcd(options);
      const server = await startServer(etcd.urls);
      const keySpace = keySpaceOf([server.url]);
      return {
        keySpace,
        another: async () => keySpaceOf([server.url]),
        async stop() {
          await keySpace.close();
          await server.close();
          await etcd.stop();
        },
      };
    },
  };
}
