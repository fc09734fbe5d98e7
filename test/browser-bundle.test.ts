/** The memory key space needs no module of Node, so that it runs in browsers: docs/playground.md. */

import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../scripts/project.mjs";

/** The globals of browsers that the code uses. It has no others. */
const OF_BROWSERS = {
  AbortController,
  AbortSignal,
  clearTimeout,
  crypto,
  performance,
  queueMicrotask,
  setTimeout,
};

const isOfNode = ({ path }: { readonly path: string }): boolean => path.startsWith("node:");

/** The code of a module for browsers, and the modules of Node that it imports. */
async function bundle(contents: string): Promise<{ code: string; imports: readonly string[] }> {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "bundled",
    target: "es2022",
    external: ["node:*"],
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const inputs = Object.values(metafile.inputs);
  const imports = inputs.flatMap((input) => input.imports.filter(isOfNode));
  return { code: outputFiles[0]?.text ?? "", imports: imports.map(({ path }) => path) };
}

test("a bundle of the memory key space for browsers imports no module of Node", async () => {
  const { code, imports } = await bundle(`
    import { MemoryKeySpace } from "./src/key-space/memory/memory-key-space.ts";
    export async function roundTrip() {
      const keySpace = new MemoryKeySpace();
      const watch = await keySpace.openWatch({ key: "/a" });
      await keySpace.execute({ action: "set", key: "/a", value: "1", ttl: 60 });
      const events = [];
      for await (const event of watch) events.push(event.node.value);
      await keySpace.close();
      return events;
    }
  `);
  expect(imports).toEqual([]);
  const context = createContext({ ...OF_BROWSERS });
  runInContext(code, context);
  expect(await runInContext("bundled.roundTrip()", context)).toEqual(["1"]);
});

test("an import of a module of Node is found", async () => {
  const { imports } = await bundle('export { randomBytes } from "node:crypto";');
  expect(imports).toEqual(["node:crypto"]);
});
