import { defineConfig } from "vitest/config";

/** Suites that start servers run one file at a time: two cores, and clocks that must not starve. */
export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: ["src/**/*.test.ts"] },
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
