import { configDefaults, defineConfig } from "vitest/config";
import { cpuShare } from "./test/support/cpu-share.js";

/**
 * Suites that start servers wait for them about half of the time: four files at a time keep two cores busy. On a
 * machine that is busy anyway, fewer leave each of them more time.
 */
const maxWorkers = workersFor(cpuShare());

function workersFor(share: number): number {
  if (share < 0.4) return 2;
  return share < 0.8 ? 3 : 4;
}

/** Suites that start servers. */
const onServers = {
  expect: { poll: { timeout: 300_000, interval: 20 } },
  maxWorkers,
  maxConcurrency: 20,
  // Only to end what hangs: a busy machine can take ten times as long as a quiet one.
  testTimeout: 600_000,
  hookTimeout: 600_000,
};

/**
 * Suites that judge their own process, such as its memory, its open handles or its warnings, or that set how many of
 * their tests run at a time, which applies to a process. Each has a new process.
 */
const IN_OWN_PROCESS = [
  "test/cli/migrate.test.ts",
  "test/connections/tls.test.ts",
  "test/docs.test.ts",
  "test/embedded/hostile-connections.test.ts",
  "test/embedded/hostile-requests.test.ts",
  "test/embedded/lifecycle.test.ts",
  "test/embedded/snapshot.test.ts",
  "test/examples.test.ts",
  "test/failover/abort.test.ts",
  "test/failover/connections.test.ts",
  "test/recipes/everywhere.test.ts",
  "test/server/watches-on-one-connection.test.ts",
];

/** Tests of the built site. `scripts/docs.mjs --check` builds it and says where it is. */
const SITE = "test/site/*.test.ts";
const site = { test: { ...onServers, name: "site", include: [SITE] } };

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
        // To load the modules again for each file would take a tenth of the CPU time of all tests.
        test: {
          ...onServers,
          name: "etcd",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...IN_OWN_PROCESS, SITE],
          isolate: false,
        },
      },
      { test: { ...onServers, name: "alone", include: IN_OWN_PROCESS } },
      ...(process.env.ETCDNET_SITE === undefined ? [] : [site]),
    ],
  },
});
