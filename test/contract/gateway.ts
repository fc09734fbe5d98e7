import { createGateway } from "../../src/server/index.js";
import { type Release, startEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";
import { keySpaceOf } from "./remote.js";
import { SKIPS } from "./v3.js";

/** The v2 API of a gateway over the network. The etcd behind it has the v2 API disabled. */
export function gateway(release: Release): Arrangement {
  return {
    name: "remote key space on a gateway",
    skips: SKIPS,
    async start() {
      const etcd = await startEtcd({ release, v2: false });
      const server = await createGateway({ etcd: { urls: etcd.urls } });
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
