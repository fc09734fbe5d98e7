/** The memory key space needs no module of Node, so that it runs in browsers: docs/playground.md. */

import { expect, test } from "vitest";
import { browserBundle } from "./support/browser-bundle.js";

test("a bundle of the memory key space for browsers imports no module of Node", async () => {
  const { imports, evaluate } = await browserBundle(`
    import { MemoryKeySpace } from "./src/key-space/memory/memory-key-space.ts";
    export async function roundTrip() {
      const keySpace = new MemoryKeySpace();
      const watch = await keySpace.openWatch({ key: "/a" });
      await keySpace.execute({ action: "set", key: "/a", value: "1", ttl: 60 });
      const events = [];
      for await (const event of watch) events.push(event.node.value);
      const { node } = await keySpace.execute({ action: "get", key: "/", recursive: true });
      await keySpace.close();
      return [...events, ...node.nodes.map(({ key }) => key)];
    }
  `);
  expect(imports).toEqual([]);
  expect(await evaluate("bundled.roundTrip()")).toEqual(["1", "/a"]);
});

test("an import of a module of Node is found", async () => {
  const { imports } = await browserBundle('export { randomBytes } from "node:crypto";');
  expect(imports).toEqual(["node:crypto"]);
});
