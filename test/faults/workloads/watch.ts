import { checkWatches, type WatchOperation } from "../checks/watch.js";
import type { Workload } from "../workload.js";
import { TreeWriter } from "./tree-writer.js";
import { WatchFollower } from "./watch-follower.js";

/** Each client writes, and watches the writes of all. */
export const watch: Workload = {
  name: "watch",
  async run(context) {
    const writer = new TreeWriter(context);
    const follower = new WatchFollower(context);
    try {
      for (;;) {
        await context.turn();
        await writer.step();
        await follower.recordProgress();
        if (context.random() < 0.02) await follower.reopen();
      }
    } finally {
      await follower.catchUp();
      await follower.close();
    }
  },
  check: (history) => checkWatches(history as readonly WatchOperation[]),
};
