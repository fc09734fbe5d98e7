import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { startEmbeddedEtcd } from "../../src/server/index.js";
import { describeSideBySide } from "../support/side-by-side.js";
import type { Arrangement } from "./arrangement.js";
import { keySpaceContract } from "./contract.js";
import { keySpaceOf } from "./remote.js";

const AS_LIVE = "history tells what a live watch would have told";

const SKIPS = {
  "history also tells of hidden keys below a recursive watch": AS_LIVE,
  "history also tells of the delete of a directory whose name the watched key begins with": AS_LIVE,
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
