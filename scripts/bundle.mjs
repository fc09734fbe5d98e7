// @ts-check
// Bundles the package: dist/ and dist/cjs for who imports it, dist/cli for the command, dist/console for the page of the
// console. Meanwhile, tsc writes the declarations.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "vite";
import { declarationProgram, ownFiles, publicEntries } from "./hidden-types.mjs";
import { binary, root } from "./project.mjs";

const dist = join(root, "dist");
const cjs = join(dist, "cjs");
const LICENSE_LINE = "// SPDX-License-Identifier: Apache-2.0\n";

/** Source file of each entry of package.json. */
const entries = {
  index: "src/index.ts",
  "server/index": "src/server/index.ts",
  "testing/index": "src/testing/index.ts",
};

/**
 * The source maps name the files of src/, which are in the package too.
 *
 * @param {string} outDir
 * @param {"es" | "cjs"} format
 * @param {Readonly<Record<string, string>>} input source file for each output file
 * @param {Readonly<Record<string, string>>} [alias] source file in the place of an import
 */
async function bundle(outDir, format, input, alias = {}) {
  const built = await build({
    root,
    configFile: false,
    logLevel: "warn",
    resolve: { alias },
    build: {
      ssr: true,
      outDir,
      target: "node20",
      minify: false,
      sourcemap: true,
      // dist/ has the declarations already.
      emptyOutDir: false,
      rollupOptions: {
        input,
        output: {
          format,
          entryFileNames: "[name].js",
          chunkFileNames: "[name]-[hash].js",
          sourcemapExcludeSources: true,
        },
      },
    },
  });
  if (!("output" in built)) throw new Error(`${outDir}: expected one bundle`);
  for (const { fileName } of built.output) {
    const path = join(outDir, fileName);
    written.add(path);
    if (fileName.endsWith(".js")) addLicense(path);
  }
}

/** Bundles the page of the console, with the packages that it uses and their licenses. */
async function bundlePage() {
  const outDir = join(dist, "console");
  /** @type {Set<string>} */
  const packages = new Set();
  await build({
    root: join(root, "console"),
    configFile: false,
    logLevel: "warn",
    base: "./",
    esbuild: { jsx: "automatic", jsxImportSource: "preact" },
    build: {
      outDir,
      target: "es2022",
      emptyOutDir: true,
      modulePreload: false,
      // CodeMirror is one part, and it is needed at once.
      chunkSizeWarningLimit: 2_000,
      rollupOptions: {
        output: {
          entryFileNames: "page.js",
          assetFileNames: "page[extname]",
          inlineDynamicImports: true,
        },
        plugins: [
          {
            name: "packages",
            generateBundle() {
              for (const id of this.getModuleIds()) {
                const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
                if (name !== undefined) packages.add(name);
              }
            },
          },
        ],
      },
    },
  });
  const code = join(outDir, "page.js");
  const license = `${LICENSE_LINE}// Licenses of the packages in it: LICENSES.txt\n`;
  writeFileSync(code, `${license}${readFileSync(code, "utf8")}`);
  writeFileSync(join(outDir, "LICENSES.txt"), [...packages].sort().map(licenseOf).join("\n"));
  for (const file of readdirSync(outDir)) written.add(join(outDir, file));
}

/** Name, version and license of a package. @param {string} name */
function licenseOf(name) {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[sc]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no license file`);
  const text = readFileSync(join(folder, file), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

/** Adds a line, which Vite would remove, to the top of a file of code and to its source map. @param {string} path */
function addLicense(path) {
  const code = readFileSync(path, "utf8");
  const line = LICENSE_LINE;
  writeFileSync(path, code.replace(/^(#!.*\n)?/, `$1${line}`));
  const map = JSON.parse(readFileSync(`${path}.map`, "utf8"));
  writeFileSync(`${path}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }));
}

const tsc = [binary("typescript", "tsc"), "-p", "tsconfig.build.json"];
const typed = once(spawn(process.execPath, tsc, { cwd: root, stdio: "inherit" }), "exit");

/** Every file of code and its map. @type {Set<string>} */
const written = new Set();

// Who imports the package waits for each file that is loaded: a few load faster than one for each source.
await bundle(dist, "es", entries);
await bundle(
  join(dist, "cli"),
  "es",
  { main: "src/cli/main.ts" },
  { "undici/index.js": join(root, "src/cli/undici.ts") },
);

await bundlePage();

// For what cannot require an ES module, such as Jest in its default configuration.
await bundle(cjs, "cjs", entries);
writeFileSync(join(cjs, "package.json"), '{ "type": "commonjs" }\n');

const [code] = await typed;
if (code !== 0) {
  // Otherwise it would look up to date.
  rmSync(join(dist, "cli/main.js"));
  process.exit(1);
}

// Users see the declarations that the entries reach. The others are not published.
const published = new Set(
  ownFiles(declarationProgram(publicEntries(dist)), dist).map(({ fileName }) => fileName),
);
for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  const path = join(dist, file);
  // Of an earlier build: the name of a chunk changes with its content.
  if (/\.js(\.map)?$/.test(file) && !written.has(path)) rmSync(path);
  if (!file.endsWith(".d.ts") || file.startsWith("cjs/")) continue;
  if (published.has(path)) copyDeclaration(path, join(cjs, file));
  else for (const part of [path, `${path}.map`]) rmSync(part);
}

/** Copies a declaration and its map, which names the source relative to itself. @param {string} from @param {string} to */
function copyDeclaration(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
  const map = JSON.parse(readFileSync(`${from}.map`, "utf8"));
  const fromSource = (/** @type {string} */ source) => join(dirname(from), source);
  map.sources = map.sources.map((/** @type {string} */ source) =>
    relative(dirname(to), fromSource(source)),
  );
  writeFileSync(`${to}.map`, JSON.stringify(map));
}
