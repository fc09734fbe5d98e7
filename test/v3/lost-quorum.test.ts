import { expect, it } from "vitest";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

describeWithEtcd("3.7", "a v3 cluster without a quorum", () => {
  it("responds to local reads of a new client", async () => {
    const etcd = await startEtcd({ release: "3.7", members: 3 });
    const [survivor, ...others] = etcd.members;
    const writer = v3KeySpaceOf([survivor.url]);
    await writer.execute({ action: "set", key: "/a/b", value: "1" });
    await writer.close();
    await Promise.all(others.map((member) => member.kill()));
    const reader = v3KeySpaceOf([survivor.url]);
    expect((await reader.execute({ action: "get", key: "/a/b" })).node.value).toBe("1");
    expect((await reader.execute({ action: "get", key: "/a" })).node.nodes).toHaveLength(1);
    await expect(reader.execute({ action: "get", key: "/a/c" })).rejects.toMatchObject({
      errorCode: 100,
    });
    await reader.close();
    await etcd.stop();
  });
});
