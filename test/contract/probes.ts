import { expect } from "vitest";
import type { Cases } from "./arrangement.js";

export const probes: Cases = {
  "a probe of a watch tells the index by now, whatever the key is": async ({ keySpace, dir }) => {
    const write = (key: string) => keySpace.execute({ action: "set", key, value: "1" });
    await write(`${dir}/file`);
    for (const key of [dir, `${dir}/file`, `${dir}/missing`, `${dir}/file/below`]) {
      for (const recursive of [false, true]) {
        const watch = await keySpace.openWatch({ key, recursive });
        const { node } = await write(`${dir}/other`);
        const probe = await watch.probe();
        expect(probe.etcdClusterId).toBe(watch.etcdClusterId);
        expect(probe.index).toBeGreaterThanOrEqual(node.modifiedIndex);
        watch.close();
      }
    }
  },
};
