import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "vite";
import { root } from "../../scripts/project.mjs";
import { type Plant, plants } from "./planted/index.js";

/** The programs of the child processes. */
export interface Programs extends Disposable {
  readonly worker: string;
  readonly gateway: string;
}

/** Below node_modules, so that the programs find their packages. */
const PARENT = join(root, "node_modules/.faults");

/** Compiles the programs, with a planted bug if its name is given. */
export async function bundlePrograms(plantName?: string): Promise<Programs> {
  mkdirSync(PARENT, { recursive: true });
  const outDir = mkdtempSync(join(PARENT, "run-"));
  const folder = join(root, "test/faults");
  await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: plantName === undefined ? [] : [planting(plantOf(plantName))],
    build: {
      ssr: true,
      outDir,
      target: "node20",
      minify: false,
      sourcemap: true,
      emptyOutDir: true,
      rollupOptions: {
        input: {
          worker: join(folder, "worker/worker.ts"),
          gateway: join(folder, "gateway/gateway.ts"),
        },
        output: { format: "es", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" },
      },
    },
  });
  return {
    worker: join(outDir, "worker.mjs"),
    gateway: join(outDir, "gateway.mjs"),
    [Symbol.dispose]: () => rmSync(outDir, { recursive: true, force: true }),
  };
}

function plantOf(name: string): Plant {
  const plant = plants[name];
  const known = Object.keys(plants).join(", ");
  if (plant === undefined) throw new Error(`no bug is named ${name}; known: ${known}`);
  return plant;
}

/** Replaces a part of one file of the product. */
function planting({ file, find, replace }: Plant): Plugin {
  const path = join(root, file);
  const parts = readFileSync(path, "utf8").split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`);
  let isPlanted = false;
  return {
    name: "plant",
    enforce: "pre",
    load(id) {
      if (id !== path) return;
      isPlanted = true;
      return parts.join(replace);
    },
    buildEnd(error) {
      if (!error && !isPlanted) throw new Error(`no program uses ${file}`);
    },
  };
}
