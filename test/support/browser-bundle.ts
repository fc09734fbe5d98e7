/** Bundles code for browsers, and runs it with what they have. */

import { createContext, runInContext } from "node:vm";
import { build, type Plugin } from "esbuild";
import { root } from "../../scripts/project.mjs";

/** The globals of browsers that the code uses. It has no others. */
const OF_BROWSERS = {
  AbortController,
  AbortSignal,
  clearTimeout,
  crypto,
  MessageChannel,
  performance,
  queueMicrotask,
  setTimeout,
  TextDecoder,
  URLSearchParams,
};

/** Node 20 gives them only to its own realm. */
const SYMBOLS = `
Symbol.dispose ??= Symbol.for("Symbol.dispose");
Symbol.asyncDispose ??= Symbol.for("Symbol.asyncDispose");
`;

export interface BrowserBundle {
  /** The modules of Node that the code imports. */
  readonly imports: readonly string[];
  /** Evaluates an expression, in which `bundled` has the exports of the code. */
  evaluate(expression: string): unknown;
}

/** Bundles TypeScript that imports from the folder of the clone. */
export async function browserBundle(
  contents: string,
  plugins: Plugin[] = [],
): Promise<BrowserBundle> {
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
    plugins,
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return {
    imports: imports.map(({ path }) => path).filter((path) => path.startsWith("node:")),
    evaluate: (expression) =>
      runInContext(
        `${SYMBOLS}${outputFiles[0]?.text}\n${expression}`,
        createContext({ ...OF_BROWSERS }),
      ),
  };
}
