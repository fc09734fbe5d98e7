import { Client } from "undici";
import { expect, test } from "vitest";
import { startEmbeddedEtcd } from "../../src/server/index.js";

test("consecutive watches leave nothing behind on their connection", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on("warning", onWarning);
  await using etcd = await startEmbeddedEtcd();
  const client = new Client(etcd.url);
  for (let count = 0; count < 20; count++) {
    const { node } = await etcd.keySpace.execute({ action: "set", key: "/a", value: "1" });
    const path = `/v2/keys/a?wait=true&waitIndex=${node.modifiedIndex}`;
    const { body } = await client.request({ method: "GET", path });
    expect(await body.json()).toMatchObject({ node: { modifiedIndex: node.modifiedIndex } });
  }
  await client.close();
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
});
