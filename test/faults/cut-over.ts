import { setTimeout } from "node:timers/promises";
import { arm, disarm } from "../../src/cutover/arm.js";
import { flip } from "../../src/cutover/flip.js";
import { openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import { cpuShare } from "../support/cpu-share.js";
import type { EtcdCluster } from "../support/etcd.js";

/** Longer on a machine that is busy with other things than the faults. */
const HOLD_MS = cpuShare() < 0.4 ? 30_000 : 5_000;
const BETWEEN_ATTEMPTS_MS = 300;
/** Time for all attempts. The faults are healed before. */
const WITHIN_MS = 600_000;

/** Switches gateways to another cluster, in as many attempts as the faults make necessary. */
export async function cutOver(
  urls: readonly string[],
  next: EtcdCluster,
  gateways: number,
  note: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await using source = new EtcdClient({ urls });
  await using target = openTarget({ urls: next.urls });
  const deadline = performance.now() + WITHIN_MS;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    try {
      const phase = (await target.records.read({ signal }))?.phase;
      if (phase === "target") return;
      if (phase === "arming") await disarm(target);
      if (phase === undefined || phase === "arming") {
        await arm(source, target, { gateways, hold: HOLD_MS });
        note("armed");
      }
      const { end, pause } = await flip(source, target, { signal });
      note(`switched at index ${end}, requests waited for ${Math.round(pause)} ms`);
      return;
    } catch (error) {
      note(`not switched: ${error}`);
    }
    await setTimeout(BETWEEN_ATTEMPTS_MS, undefined, { signal });
  }
  throw new Error(`the gateways were not switched within ${WITHIN_MS / 1000} s`);
}
