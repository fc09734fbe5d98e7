import { expect, vi } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { Cases } from "./arrangement.js";

/** Opens watches of all kinds, one after the other, and asks each for its index after a write. */
async function afterAWrite(
  { keySpace, dir }: { readonly keySpace: KeySpace; readonly dir: string },
  check: (probe: () => Promise<number>, written: number) => Promise<void>,
): Promise<void> {
  const write = (key: string) => keySpace.execute({ action: "set", key, value: "1" });
  await write(`${dir}/file`);
  for (const key of [dir, `${dir}/file`, `${dir}/missing`, `${dir}/file/below`]) {
    for (const recursive of [false, true]) {
      const watch = await keySpace.openWatch({ key, recursive });
      const { node } = await write(`${dir}/other`);
      await check(() => watch.probe(), node.modifiedIndex);
      watch.close();
    }
  }
}

export const probes: Cases = {
  "a probe of a watch tells the index by now, whatever the key is": (ground) =>
    afterAWrite(ground, async (probe, written) => {
      expect(await probe()).toBeGreaterThanOrEqual(written);
    }),

  "probes of a watch go on to the index of what was written before": (ground) =>
    afterAWrite(ground, (probe, written) =>
      vi.waitFor(async () => expect(await probe()).toBeGreaterThanOrEqual(written), 10_000),
    ),
};
