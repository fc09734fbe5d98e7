// @ts-check
// Puts the command line into a few files instead of one for each source: a command starts a third
// faster for it. The library stays as it was compiled.
import { build } from "vite";
import { root } from "./project.mjs";

await build({
  root,
  configFile: false,
  logLevel: "warn",
  build: {
    ssr: "src/cli/main.ts",
    outDir: "dist/cli",
    target: "node20",
    minify: false,
    emptyOutDir: true,
    rollupOptions: {
      output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
    },
  },
});
