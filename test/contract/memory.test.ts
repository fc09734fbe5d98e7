import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { startEmbeddedEtcd } from "../../src/server/index.js";
import { describeSideBySide } from "../support/side-by-side.js";
import type { Arrangement } from "./arrangement.js";
import { keySpaceContract } from "./contract.js";
import { keySpaceOf } from "./remote.js";

const AS_LIVE = "history delivers the same events as a live watch";

const SKIPS = {
  "history also delivers hidden keys below a recursive watch": AS_LIVE,
  "history also delivers the deletion of a directory whose key is a text prefix of the watched key":
    AS_LIVE,
};

const MEMORY: Arrangement = {
  name: "memory key space",
  skips: SKIPS,
  async start() {
    const keySpace = new MemoryKeySpace();
    return {
      keySpace,
      another: async () => new MemoryKeySpace(),
      stop: () => keySpace.close(),
    };
  },
};

const EMBEDDED: Arrangement = {
  name: "remote key space on the embedded server",
  skips: SKIPS,
  async start() {
    const server = await startEmbeddedEtcd();
    const keySpace = keySpaceOf([server.url]);
    return {
      keySpace,
      another: async () => keySpaceOf([server.url]),
      async stop() {
        await keySpace.close();
        await server.close();
      },
    };
  },
};

describeSideBySide("memory", () => keySpaceContract(MEMORY));
describeSideBySide("the embedded server", () => keySpaceContract(EMBEDDED));
