import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "../../src");
const replacement = join(here, "playground/node-in-browsers.ts");

/** What the plugin needs of Vite's. */
interface BrowserModules {
  readonly name: string;
  readonly enforce: "pre";
  resolveId(id: string, importer?: string): string | undefined;
}

/** A plugin of Vite: in the sources of the package, replaces Node's modules and the code that opens sockets. */
export function browserModules(): BrowserModules {
  return {
    name: "browser-modules",
    enforce: "pre",
    resolveId(id, importer = "") {
      // Two files replace themselves in bundles for browsers: see `browser` in package.json.
      if (
        !importer.startsWith(sources) ||
        /[/\\](?:timers|diagnostics-channel)\.ts$/.test(importer)
      ) {
        return undefined;
      }
      const isReplaced = id.startsWith("node:") || id.endsWith("/open-key-space.js");
      return isReplaced ? replacement : undefined;
    },
  };
}
