import { setImmediate as nextTurn } from "node:timers/promises";
import type { Mirror } from "../../../src/index.js";
import type { TreeState } from "../checks/committed-tree.js";
import { checkMirrors, type MirrorOperation } from "../checks/mirror.js";
import type { Progress } from "../checks/watch.js";
import type { Workload, WorkloadContext } from "../workload.js";
import { filesOf, machineTime, readTree } from "./tree-state.js";
import { TreeWriter } from "./tree-writer.js";

const CATCH_UP_TIMEOUT_MS = 15_000;

/** Each client writes, and mirrors the writes of all. */
export const mirror: Workload = {
  name: "mirror",
  async run(context) {
    const { etcd, directory } = context;
    const writer = new TreeWriter(context);
    await using mirror = etcd.mirror(directory);
    mirror.on("resync", (resync) => context.observe("resync", directory, resync));
    mirror.on("error", (error) => context.observe("error", directory, String(error)));
    try {
      for (;;) {
        await context.turn();
        await writer.step();
        await recordView(context, mirror);
      }
    } finally {
      await catchUp(context, mirror);
    }
  },
  check: (history) => checkMirrors(history as readonly MirrorOperation[]),
};

async function recordView(context: WorkloadContext, mirror: Mirror): Promise<void> {
  // The watch of the mirror counts an event as read just before the mirror applies it.
  await nextTurn();
  if (mirror.index > 0) context.observe("view", mirror.key, viewOf(mirror));
}

function viewOf(mirror: Mirror): TreeState & Progress {
  const now = machineTime();
  const { index, staleFor } = mirror;
  return { index, currentAt: now - staleFor * 1e6, files: [...mirror].flatMap(filesOf) };
}

/** Waits until the mirror has everything that a read shows. */
async function catchUp(context: WorkloadContext, mirror: Mirror): Promise<void> {
  const { etcd, operate } = context;
  const { key } = mirror;
  const list = await operate(
    { kind: "list", key },
    () => readTree(etcd, key),
    (state) => state,
  );
  if (list.result === undefined) return;
  const { index } = list.result;
  const signal = AbortSignal.timeout(CATCH_UP_TIMEOUT_MS);
  const wait = () => mirror.waitFor(index, { signal });
  await operate({ kind: "waitFor", key }, wait, () => index);
  await recordView(context, mirror);
}
