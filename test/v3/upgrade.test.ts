import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findEtcd, type Release } from "../../scripts/etcd-binaries.mjs";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

/** More entries than etcd keeps without a snapshot with `--snapshot-count=10`. */
const WRITES = 30;

describeWithEtcd("3.7", "a member that began as 3.5", () => {
  it("starts as 3.7 only after 3.6 has written a snapshot", async () => {
    await using cluster = await startEtcd({ release: "3.5", v2: false });
    const [member] = cluster.members;
    await using etcd = new EtcdClient({ urls: cluster.urls, api: "v3" });
    await etcd.setNode("/a", "by 3.5");
    await member.stop();

    await member.start({ binary: binaryOf("3.6") });
    await member.stop();
    await expect(member.start({ binary: binaryOf("3.7") })).rejects.toThrow("unmarshal should");

    await member.start({ binary: binaryOf("3.6"), args: ["--snapshot-count=10"] });
    for (let count = 0; count < WRITES; count++) await etcd.setNode("/b", "by 3.6");
    const files = () => readdir(join(member.dataDir, "member/snap"));
    await expect.poll(files).toContainEqual(expect.stringMatching(/\.snap$/));
    await member.stop();

    await member.start({ binary: binaryOf("3.7") });
    expect(await etcd.getNodeValue("/a")).toBe("by 3.5");
  });
});

function binaryOf(release: Release): string {
  const found = findEtcd(release);
  if ("missing" in found) throw new Error(found.missing);
  return found.path;
}
