import { defineConfig } from "vitest/config";

/** Suites that start servers run one file at a time: two cores, and clocks that must not starve. */
export default defineConfig({
  test: {
    projects: [
      {
        // They share nothing but modules, so that these are loaded once for each core.
        test: {
          name: "unit",
          include: ["src/**/*.test.ts"],
          isolate: false,
          maxWorkers: "100%",
          // Property tests take seconds on a busy machine.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "etcd",
          include: ["test/**/*.test.ts"],
          fileParallelism: false,
          maxConcurrency: 20,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
