import { expect } from "vitest";
import type { KeySpace, Scan } from "../../src/key-space/key-space.js";
import type { ScanRequest } from "../../src/model/key-request.js";
import type { Cases } from "./arrangement.js";
import { changeOf } from "./events.js";

/** Scans on until an index is proven. @returns all events on the way */
async function scanUpTo(
  keySpace: KeySpace,
  request: Omit<ScanRequest, "since">,
  from: number,
  index: number,
): Promise<Scan["events"]> {
  const events: Scan["events"][number][] = [];
  let start: Pick<ScanRequest, "since" | "partial"> = { since: from };
  for (let proven = 0; proven < index; ) {
    const scan = await keySpace.scan({ ...request, ...start, until: index });
    events.push(...scan.events);
    proven = scan.provenIndex ?? expect.fail("nothing was proven");
    const last = scan.events.at(-1)?.node.modifiedIndex ?? 0;
    start = last > proven ? { since: last, partial: true } : { since: proven + 1 };
  }
  return events;
}

export const scans: Cases = {
  "scans find every event of the past, and prove that there was no other": async ({
    keySpace,
    dir,
  }) => {
    const write = (key: string) =>
      keySpace.execute({ action: "set", key: `${dir}/${key}`, value: "1" });
    const first = await write("a");
    await write("b");
    const second = await write("a");
    const { node: last } = await write("b");
    const from = first.node.modifiedIndex;
    const key = `${dir}/a`;
    const events = await scanUpTo(keySpace, { key, recursive: false }, from, last.modifiedIndex);
    expect(events.map(changeOf)).toEqual([first, second].map(changeOf));
  },

  "a scan of a quiet key proves that nothing happened": async ({ keySpace, dir }) => {
    const { node } = await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const { node: last } = await keySpace.execute({ action: "set", key: `${dir}/b`, value: "1" });
    for (const key of [`${dir}/a`, `${dir}/missing`]) {
      const request = { key, recursive: true };
      const { modifiedIndex } = last;
      expect(await scanUpTo(keySpace, request, node.modifiedIndex + 1, modifiedIndex)).toEqual([]);
    }
  },

  "a scan from the future proves nothing and ends": async ({ keySpace, dir }) => {
    const { node } = await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const since = node.modifiedIndex + 1_000;
    const scan = await keySpace.scan({ key: dir, recursive: true, since });
    expect(scan.events).toEqual([]);
    expect(scan.provenIndex ?? 0).toBeLessThan(since);
  },
};
