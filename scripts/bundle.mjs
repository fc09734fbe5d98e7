// @ts-check
// Bundles dist/cli and dist/cjs. The library's ES modules stay as they were compiled.
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { declarationProgram, ownFiles, publicEntries } from "./hidden-types.mjs";
import { root } from "./project.mjs";

const dist = join(root, "dist");

/**
 * @param {string} outDir below dist/
 * @param {"es" | "cjs"} format
 * @param {Readonly<Record<string, string>>} input source file for each output file
 */
async function bundle(outDir, format, input) {
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    build: {
      ssr: true,
      outDir: join(dist, outDir),
      target: "node20",
      minify: false,
      emptyOutDir: true,
      rollupOptions: {
        input,
        output: { format, entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
      },
    },
  });
}

// A command starts a third faster from a few files than from one file for each source.
await bundle("cli", "es", { main: "src/cli/main.ts" });

// For what cannot require an ES module, such as Jest in its default configuration.
await bundle("cjs", "cjs", { index: "src/index.ts", "server/index": "src/server/index.ts" });
writeFileSync(join(dist, "cjs/package.json"), '{ "type": "commonjs" }\n');

// Users see the declarations that the entries reach. The others are not published.
const published = new Set(
  ownFiles(declarationProgram(publicEntries(dist)), dist).map(({ fileName }) => fileName),
);
for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith(".d.ts")) continue;
  if (published.has(join(dist, file))) cpSync(join(dist, file), join(dist, "cjs", file));
  else rmSync(join(dist, file));
}
