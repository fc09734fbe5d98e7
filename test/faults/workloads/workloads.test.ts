import { describe, expect, it } from "vitest";
import { EtcdClient } from "../../../src/index.js";
import { MemoryKeySpace } from "../../../src/key-space/memory/memory-key-space.js";
import { SEED } from "../../support/seed.js";
import { ClientContext, RunOver } from "../worker/client-context.js";
import type { Operation, Workload } from "../workload.js";
import { workloads } from "./index.js";

const CLIENTS = 3;
const RUN_MS = 1_000;

/** Runs a workload in this process, on a key space without faults. */
async function run(workload: Workload): Promise<Operation[]> {
  const history: Operation[] = [];
  const keySpace = new MemoryKeySpace({});
  const etcd = new EtcdClient({ keySpace });
  const over = AbortSignal.timeout(RUN_MS);
  const contextOf = (client: number, over: AbortSignal) =>
    new ClientContext({
      etcd,
      client,
      clients: CLIENTS,
      workload: workload.name,
      seed: SEED,
      turnMs: 5,
      over,
      record: (operation) => history.push(operation),
    });
  const runs = Array.from({ length: CLIENTS }, (_, client) =>
    workload.run(contextOf(client, over)).catch((error: unknown) => {
      if (!(error instanceof RunOver)) throw error;
    }),
  );
  await Promise.all(runs);
  await workload.finish?.(contextOf(0, new AbortController().signal));
  await etcd.close();
  return history.sort((a, b) => a.completedAt - b.completedAt);
}

describe.concurrent("on a key space without faults", () => {
  it.each(workloads.map((workload) => [workload.name, workload] as const))(
    "%s finds no violation",
    async (_, workload) => {
      const history = await run(workload);
      expect(workload.check(JSON.parse(JSON.stringify(history)))).toEqual([]);
      const kinds = new Set(history.filter(({ outcome }) => outcome === "ok").map((o) => o.kind));
      expect(kinds.size).toBeGreaterThan(1);
    },
  );
});
