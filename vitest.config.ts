import { defineConfig } from "vitest/config";
import { cpuShare } from "./test/support/cpu-share.js";

/**
 * Suites that start servers wait for them about half of the time: three files at a time keep two cores busy. On a
 * machine that is busy anyway, two leave each of them more time.
 */
const maxWorkers = cpuShare() < 0.4 ? 2 : 3;

export default defineConfig({
  test: {
    projects: [
      {
        // They share nothing but modules, so that these are loaded once for each worker.
        test: {
          name: "unit",
          expect: { poll: { timeout: 60_000, interval: 20 } },
          include: ["src/**/*.test.ts"],
          isolate: false,
          maxWorkers,
          // Property tests take seconds on a busy machine.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "etcd",
          expect: { poll: { timeout: 300_000, interval: 20 } },
          include: ["test/**/*.test.ts"],
          maxWorkers,
          maxConcurrency: 20,
          // Only to end what hangs: a busy machine can take ten times as long as a quiet one.
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
